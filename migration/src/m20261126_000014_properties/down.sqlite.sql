DROP TABLE article_properties;
DROP TABLE article_tags;
DROP INDEX articles_by_creation;
DROP INDEX articles_by_reading;
ALTER TABLE articles DROP COLUMN reading;
