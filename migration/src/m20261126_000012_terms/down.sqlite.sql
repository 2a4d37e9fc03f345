DROP TABLE fulltext_state;
DROP TRIGGER article_terms_follow_deletion;
DROP TABLE article_vocabulary;
DROP TABLE article_terms;
-- The words of the earlier version; `afterword index rebuild` of that version splits scripts without spaces, too.
INSERT OR REPLACE INTO article_words (rowid, title, body) SELECT id, title, body FROM articles;
