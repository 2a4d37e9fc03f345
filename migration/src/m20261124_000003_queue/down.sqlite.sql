DROP TRIGGER embedding_tasks_removed;
DROP TRIGGER embedding_tasks_counted;
DROP TRIGGER embedding_tasks_changed;
DROP TRIGGER embedding_tasks_created;
DROP TABLE embedding_task_counts;
DROP TABLE embedding_task_events;
DROP TABLE embedding_tasks;
