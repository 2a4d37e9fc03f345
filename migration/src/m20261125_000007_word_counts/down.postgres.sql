ALTER TABLE article_words DROP COLUMN length, DROP COLUMN title;
