DROP TABLE unread_articles;
DROP TABLE article_properties;
DROP TABLE article_tags;
DROP INDEX articles_by_creation;
