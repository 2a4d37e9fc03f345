DROP INDEX article_sources_copies;
ALTER TABLE article_sources DROP COLUMN is_copy;
ALTER TABLE article_sources DROP COLUMN stamp;
