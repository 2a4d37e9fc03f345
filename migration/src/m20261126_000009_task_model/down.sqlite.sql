DROP TABLE bulk_totals;
DROP TABLE embedding_model_settings;
DROP INDEX embedding_tasks_low;
ALTER TABLE embedding_tasks DROP COLUMN model_id;
