-- When nothing waited or was in work as the server last counted, it takes every index of such tasks for equally good, and
-- looks for an article in one that is ordered by time: by reading all of it. These two ask for more than such a look says.
DROP INDEX embedding_tasks_claim;
CREATE INDEX embedding_tasks_claim ON embedding_tasks (queue_key, id) WHERE status = 'pending' AND queue_key >= 0;
DROP INDEX embedding_tasks_leases;
CREATE INDEX embedding_tasks_leases ON embedding_tasks (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
