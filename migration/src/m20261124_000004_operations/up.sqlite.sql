-- One row per start of a host. Incarnations are unique: a host that is started again is another row.
CREATE TABLE embedding_hosts (
    incarnation  TEXT    PRIMARY KEY NOT NULL,
    hostname     TEXT    NOT NULL,
    pid          INTEGER NOT NULL,
    version      TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('running', 'draining', 'stopped', 'lost')),
    started_at   BIGINT  NOT NULL,
    heartbeat_at BIGINT  NOT NULL,
    -- the actor tree as the host last reported it, JSON
    tree         TEXT
);

-- One row per host incarnation and worker slot.
CREATE TABLE embedding_worker_status (
    incarnation TEXT    NOT NULL REFERENCES embedding_hosts (incarnation) ON DELETE CASCADE,
    slot        INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('idle', 'busy', 'restarting', 'stopped')),
    since       BIGINT  NOT NULL,
    task_id     BIGINT,
    completed   BIGINT  NOT NULL DEFAULT 0,
    failed      BIGINT  NOT NULL DEFAULT 0,
    restarts    BIGINT  NOT NULL DEFAULT 0,
    last_error  TEXT,
    PRIMARY KEY (incarnation, slot)
) WITHOUT ROWID;

CREATE TABLE bulk_operations (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    scope        TEXT    NOT NULL CHECK (scope IN ('needed', 'missing', 'failed', 'stale', 'all')),
    folder       TEXT    NOT NULL DEFAULT '',
    state        TEXT    NOT NULL CHECK (state IN ('queuing', 'running', 'completed', 'cancelled')),
    -- articles up to this id have been looked at; where a host goes on after a crash
    cursor       BIGINT  NOT NULL DEFAULT 0,
    requested_at BIGINT  NOT NULL,
    finished_at  BIGINT,
    -- frozen when the run ends, JSON; until then progress is counted from the items
    summary      TEXT
);
CREATE INDEX bulk_operations_open ON bulk_operations (id) WHERE state IN ('queuing', 'running');

CREATE TABLE bulk_items (
    bulk_id    BIGINT NOT NULL REFERENCES bulk_operations (id) ON DELETE CASCADE,
    article_id BIGINT NOT NULL,
    task_id    BIGINT NOT NULL,
    -- the task waited already for a save; cancelling the run must leave it
    adopted    BOOLEAN NOT NULL,
    PRIMARY KEY (bulk_id, article_id)
) WITHOUT ROWID;

-- A row per minute, host and slot.
CREATE TABLE embedding_metrics (
    minute        BIGINT  NOT NULL,
    incarnation   TEXT    NOT NULL,
    slot          INTEGER NOT NULL,
    completed     BIGINT  NOT NULL,
    failed        BIGINT  NOT NULL,
    retried       BIGINT  NOT NULL,
    processing_p50_us BIGINT NOT NULL,
    processing_p95_us BIGINT NOT NULL,
    processing_p99_us BIGINT NOT NULL,
    processing_sum_us BIGINT NOT NULL,
    wait_p50_us   BIGINT  NOT NULL,
    wait_p95_us   BIGINT  NOT NULL,
    wait_p99_us   BIGINT  NOT NULL,
    PRIMARY KEY (minute, incarnation, slot)
) WITHOUT ROWID;

-- Switches that hold for every host on this database.
CREATE TABLE queue_control (
    key        TEXT   PRIMARY KEY NOT NULL,
    value      TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
) WITHOUT ROWID;
