-- A row for each call that counts against a provider's limit; gone when the limit has forgotten it.
CREATE TABLE provider_calls (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT    NOT NULL,
    at       BIGINT  NOT NULL
);
CREATE INDEX provider_calls_by_time ON provider_calls (provider, at);
