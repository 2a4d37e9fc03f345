DROP VIEW embedding_task_counts;
DROP TABLE embedding_task_deltas;
DROP TABLE embedding_task_totals;
DROP TABLE embedding_task_events;
DROP TABLE embedding_tasks;
DROP FUNCTION embedding_tasks_created;
DROP FUNCTION embedding_tasks_changed;
DROP FUNCTION embedding_tasks_removed;
