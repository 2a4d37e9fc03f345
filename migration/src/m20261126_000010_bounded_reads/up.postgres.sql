-- What a running host asks, answered from an index whatever the size of the history. Indexes of what waits ask for more
-- than a look for an article's waiting task says, so that it is never looked for in one of them: see the step before.

-- Tasks of one status, the newest first; those that failed have their index already, those in work are few.
CREATE INDEX embedding_tasks_pending ON embedding_tasks (id) WHERE status = 'pending' AND id > 0;
CREATE INDEX embedding_tasks_completed ON embedding_tasks (id) WHERE status = 'completed';
CREATE INDEX embedding_tasks_cancelled ON embedding_tasks (id) WHERE status = 'cancelled';
-- What is due, since when, and how many are not yet due.
CREATE INDEX embedding_tasks_due ON embedding_tasks (scheduled_at) WHERE status = 'pending' AND scheduled_at >= 0;
-- Finished tasks in the order of their end; of those that ended together, in the order of their numbers.
DROP INDEX embedding_tasks_finished;
CREATE INDEX embedding_tasks_finished ON embedding_tasks (completed_at, id) WHERE completed_at IS NOT NULL;

-- Administrative acts among the many entries about tasks.
CREATE INDEX embedding_task_events_acts ON embedding_task_events (at) WHERE task_id IS NULL;

-- Whether a task belongs to a bulk run that goes on; runs in the order of their end.
CREATE INDEX bulk_items_by_task ON bulk_items (task_id);
CREATE INDEX bulk_operations_ended ON bulk_operations (finished_at) WHERE finished_at IS NOT NULL;

-- All that is compared with the stored vectors, without the bodies beside it.
CREATE INDEX articles_to_compare ON articles (id) INCLUDE (content_hash, skip_embedding, folder, revision);

-- Past revisions in the order in which they became past: of living articles, and the last ones of deleted articles.
CREATE INDEX article_versions_superseded ON article_versions (superseded_at, article_id, revision) WHERE NOT deleted;
CREATE INDEX article_versions_deletions ON article_versions (superseded_at, article_id) WHERE deleted;

-- Hosts that have not said that they ended, and those that have.
CREATE INDEX embedding_hosts_open ON embedding_hosts (started_at) WHERE state IN ('running', 'draining');
CREATE INDEX embedding_hosts_ended ON embedding_hosts (heartbeat_at) WHERE state IN ('stopped', 'lost');
