DROP INDEX articles_by_title;
DROP TABLE article_links;
