DROP TABLE queue_control;
DROP TABLE embedding_metrics;
DROP TABLE bulk_items;
DROP TABLE bulk_operations;
DROP TABLE embedding_worker_status;
DROP TABLE embedding_hosts;
