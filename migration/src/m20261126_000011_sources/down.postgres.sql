DROP TABLE article_sources;
DROP TABLE sources;
ALTER TABLE article_versions DROP COLUMN front_matter;
ALTER TABLE articles DROP COLUMN front_matter;
