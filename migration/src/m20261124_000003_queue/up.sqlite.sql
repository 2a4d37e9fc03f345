-- The durable queue. Finished tasks stay until retention removes them. No foreign key to articles: the record of
-- what was done outlives the article.
CREATE TABLE embedding_tasks (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id       BIGINT  NOT NULL,
    -- the slug when the task was made, for people; work goes by article_id, so a rename never breaks a task
    slug             TEXT    NOT NULL,
    operation        TEXT    NOT NULL CHECK (operation IN ('create', 'update', 'delete')),
    status           TEXT    NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    priority         TEXT    NOT NULL CHECK (priority IN ('high', 'normal', 'low')),
    -- the newest revision this task was asked to embed
    revision         BIGINT  NOT NULL,
    -- counted at claim, so that a document which kills the process cannot loop for ever
    attempts         INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts     INTEGER NOT NULL CHECK (max_attempts >= 1),
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL,
    -- not to be claimed before
    scheduled_at     BIGINT  NOT NULL,
    -- claimed in this order: scheduled_at plus a handicap by priority, which is how a low task ages into its turn
    queue_key        BIGINT  NOT NULL,
    started_at       BIGINT,
    completed_at     BIGINT,
    error_kind       TEXT CHECK (error_kind IN ('transient', 'config', 'data', 'resource', 'crashed')),
    error_message    TEXT,
    -- why the row is in its present state; becomes the event's name in the audit trail
    cause            TEXT    NOT NULL,
    -- new at every claim; every write by a worker is fenced by it
    lease_token      TEXT,
    lease_expires_at BIGINT,
    incarnation      TEXT,
    slot             INTEGER,
    trace_id         TEXT,
    CHECK ((status = 'processing') = (lease_token IS NOT NULL)),
    CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL))
);
-- Coalescing and mutual exclusion by article are the index's business, not the program's.
CREATE UNIQUE INDEX embedding_tasks_one_pending ON embedding_tasks (article_id) WHERE status = 'pending';
CREATE UNIQUE INDEX embedding_tasks_one_processing ON embedding_tasks (article_id) WHERE status = 'processing';
CREATE INDEX embedding_tasks_claim ON embedding_tasks (queue_key, id) WHERE status = 'pending';
CREATE INDEX embedding_tasks_leases ON embedding_tasks (lease_expires_at) WHERE status = 'processing';
CREATE INDEX embedding_tasks_failed ON embedding_tasks (id) WHERE status = 'failed';
CREATE INDEX embedding_tasks_finished ON embedding_tasks (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX embedding_tasks_by_article ON embedding_tasks (article_id, id);

-- The audit trail: written by trigger, so that no change of status can go unrecorded. Administrative acts have no
-- task.
CREATE TABLE embedding_task_events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          BIGINT NOT NULL,
    task_id     BIGINT,
    article_id  BIGINT,
    event       TEXT   NOT NULL,
    from_status TEXT,
    to_status   TEXT,
    attempt     INTEGER,
    incarnation TEXT,
    slot        INTEGER,
    error_kind  TEXT,
    detail      TEXT
);
CREATE INDEX embedding_task_events_by_task ON embedding_task_events (task_id, id) WHERE task_id IS NOT NULL;
CREATE INDEX embedding_task_events_by_time ON embedding_task_events (at);

-- Exact numbers without counting: kept by the same triggers, in the same transaction.
CREATE TABLE embedding_task_counts (
    status TEXT   PRIMARY KEY NOT NULL,
    tasks  BIGINT NOT NULL CHECK (tasks >= 0)
) WITHOUT ROWID;
INSERT INTO embedding_task_counts (status, tasks)
VALUES ('pending', 0), ('processing', 0), ('completed', 0), ('failed', 0), ('cancelled', 0);

CREATE TRIGGER embedding_tasks_created AFTER INSERT ON embedding_tasks BEGIN
    INSERT INTO embedding_task_events (at, task_id, article_id, event, to_status, attempt, detail)
    VALUES (NEW.created_at, NEW.id, NEW.article_id, 'created', NEW.status, NEW.attempts, NEW.cause);
    UPDATE embedding_task_counts SET tasks = tasks + 1 WHERE status = NEW.status;
END;
CREATE TRIGGER embedding_tasks_changed AFTER UPDATE OF status, revision, priority ON embedding_tasks
WHEN OLD.status <> NEW.status OR OLD.revision <> NEW.revision OR OLD.priority <> NEW.priority BEGIN
    INSERT INTO embedding_task_events
        (at, task_id, article_id, event, from_status, to_status, attempt, incarnation, slot, error_kind, detail)
    VALUES
        (NEW.updated_at, NEW.id, NEW.article_id, NEW.cause, OLD.status, NEW.status, NEW.attempts,
         coalesce(NEW.incarnation, OLD.incarnation), coalesce(NEW.slot, OLD.slot), NEW.error_kind, NEW.error_message);
END;
CREATE TRIGGER embedding_tasks_counted AFTER UPDATE OF status ON embedding_tasks WHEN OLD.status <> NEW.status BEGIN
    UPDATE embedding_task_counts SET tasks = tasks - 1 WHERE status = OLD.status;
    UPDATE embedding_task_counts SET tasks = tasks + 1 WHERE status = NEW.status;
END;
CREATE TRIGGER embedding_tasks_removed AFTER DELETE ON embedding_tasks BEGIN
    UPDATE embedding_task_counts SET tasks = tasks - 1 WHERE status = OLD.status;
END;
