-- The extension stays: others may use it.
DROP TABLE article_chunks;
DROP TABLE article_embeddings;
DROP TABLE embedding_models;
