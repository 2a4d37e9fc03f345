DROP TRIGGER vector_changes_on_delete;
DROP TRIGGER vector_changes_on_update;
DROP TRIGGER vector_changes_on_insert;
DROP TABLE vector_changes;
DROP TABLE article_chunks;
DROP TABLE article_embeddings;
DROP TABLE embedding_models;
