-- The model whose vectors a task makes. NULL, as programs of an earlier version leave it: the set in use when it is claimed.
-- There is still one waiting task for each article, whatever its model: programs of an earlier version rely on that index.
ALTER TABLE embedding_tasks ADD COLUMN model_id BIGINT;
-- What has failed has failed by the model in use, unless another one was being built by then: that one is tried once more.
UPDATE embedding_tasks SET model_id = (SELECT id FROM embedding_models WHERE state = 'active')
WHERE status = 'failed'
  AND NOT EXISTS (SELECT 1 FROM embedding_models m WHERE m.state = 'building' AND m.created_at <= embedding_tasks.created_at);

-- How much maintenance waits for each model. The last condition keeps this index from every statement that does not ask
-- for it by the same words.
CREATE INDEX embedding_tasks_low ON embedding_tasks (model_id) WHERE status = 'pending' AND priority = 'low' AND id > 0;

-- Beside embedding_models, whose columns programs of an earlier version read by an asterisk.
CREATE TABLE embedding_model_settings (
    model_id       BIGINT  PRIMARY KEY REFERENCES embedding_models (id) ON DELETE CASCADE,
    -- how its provider is reached, as JSON and without secrets: for queries of this set when the settings ask for another
    settings       TEXT,
    -- when the build of the set was begun last
    building_since BIGINT,
    -- an operator wants the set in use although some articles could not be embedded by it
    accepts_failed BOOLEAN NOT NULL DEFAULT FALSE
);

-- How many articles a bulk run is about: they are queued a few at a time.
CREATE TABLE bulk_totals (
    bulk_id  BIGINT PRIMARY KEY REFERENCES bulk_operations (id) ON DELETE CASCADE,
    articles BIGINT NOT NULL
);
