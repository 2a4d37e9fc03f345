ALTER TABLE embedding_tasks DROP COLUMN crashes;
