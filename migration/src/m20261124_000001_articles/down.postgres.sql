DROP TABLE article_words;
DROP TEXT SEARCH CONFIGURATION afterword;
DROP TEXT SEARCH DICTIONARY afterword_stems;
DROP TABLE idempotency_keys;
DROP TABLE slug_aliases;
DROP TABLE article_versions;
DROP TABLE articles;
