DROP INDEX embedding_tasks_leases;
CREATE INDEX embedding_tasks_leases ON embedding_tasks (lease_expires_at) WHERE status = 'processing';
DROP INDEX embedding_tasks_claim;
CREATE INDEX embedding_tasks_claim ON embedding_tasks (queue_key, id) WHERE status = 'pending';
