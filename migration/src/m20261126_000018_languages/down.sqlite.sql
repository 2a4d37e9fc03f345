DROP TABLE article_languages;
-- Words are written again by the rules of the version before.
UPDATE fulltext_state SET version = 2, rebuilt_to = 0 WHERE id = 1;
