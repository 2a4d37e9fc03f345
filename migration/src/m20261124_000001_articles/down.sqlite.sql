DROP TRIGGER article_words_follow_deletion;
DROP TABLE article_words;
DROP TABLE idempotency_keys;
DROP TABLE slug_aliases;
DROP TABLE article_versions;
DROP TABLE articles;
