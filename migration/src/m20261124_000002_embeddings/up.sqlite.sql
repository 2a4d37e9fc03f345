-- One row per fingerprint of provider, model, prefixes and chunker.
CREATE TABLE embedding_models (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint  TEXT    NOT NULL UNIQUE,
    -- the whole identity as JSON, to make the same embedder again
    identity     TEXT    NOT NULL,
    -- pinned by the first vector if the settings do not say
    dimension    INTEGER CHECK (dimension > 0),
    state        TEXT    NOT NULL CHECK (state IN ('building', 'active', 'retired')),
    created_at   BIGINT  NOT NULL,
    activated_at BIGINT,
    retired_at   BIGINT
);
CREATE UNIQUE INDEX embedding_models_one_active ON embedding_models (state) WHERE state = 'active';

-- Which revision of an article a model has embedded. Staleness is a query against articles, not a flag.
CREATE TABLE article_embeddings (
    article_id   BIGINT  NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    model_id     BIGINT  NOT NULL REFERENCES embedding_models (id) ON DELETE CASCADE,
    revision     BIGINT  NOT NULL,
    content_hash TEXT    NOT NULL,
    chunk_count  INTEGER NOT NULL,
    embedded_at  BIGINT  NOT NULL,
    PRIMARY KEY (article_id, model_id)
) WITHOUT ROWID;
CREATE INDEX article_embeddings_by_model ON article_embeddings (model_id, article_id);

CREATE TABLE article_chunks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id   BIGINT  NOT NULL,
    model_id     BIGINT  NOT NULL,
    position     INTEGER NOT NULL,
    heading_path TEXT    NOT NULL,
    text         TEXT    NOT NULL,
    -- of the input that was embedded; an unchanged chunk keeps its vector
    hash         TEXT    NOT NULL,
    tokens       INTEGER NOT NULL,
    -- dimension × 4 bytes, little-endian f32, unit length
    vector       BLOB    NOT NULL,
    UNIQUE (article_id, model_id, position),
    FOREIGN KEY (article_id, model_id) REFERENCES article_embeddings (article_id, model_id) ON DELETE CASCADE
);
CREATE INDEX article_chunks_by_hash ON article_chunks (model_id, hash);

-- The order in which vector sets changed, so that an index in memory catches up with any process's commits.
CREATE TABLE vector_changes (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    model_id   BIGINT NOT NULL,
    article_id BIGINT NOT NULL
);
CREATE TRIGGER vector_changes_on_insert AFTER INSERT ON article_embeddings BEGIN
    INSERT INTO vector_changes (model_id, article_id) VALUES (NEW.model_id, NEW.article_id);
END;
CREATE TRIGGER vector_changes_on_update AFTER UPDATE ON article_embeddings BEGIN
    INSERT INTO vector_changes (model_id, article_id) VALUES (NEW.model_id, NEW.article_id);
END;
CREATE TRIGGER vector_changes_on_delete AFTER DELETE ON article_embeddings BEGIN
    INSERT INTO vector_changes (model_id, article_id) VALUES (OLD.model_id, OLD.article_id);
END;
