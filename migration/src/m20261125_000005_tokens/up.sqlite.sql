-- Who may come in. The secret itself is nowhere: only its hash, each with a salt of its own.
CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    scope        TEXT    NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
    salt         BLOB    NOT NULL,
    hash         BLOB    NOT NULL,
    created_at   BIGINT  NOT NULL,
    -- empty: for ever
    expires_at   BIGINT,
    -- to the minute: a request must not cost a write
    last_used_at BIGINT,
    revoked_at   BIGINT
);
CREATE UNIQUE INDEX api_tokens_one_of_a_name ON api_tokens (name) WHERE revoked_at IS NULL;
