-- The present state of every article. Its past is in article_versions.
CREATE TABLE articles (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    slug           TEXT    NOT NULL UNIQUE CHECK (slug <> ''),
    title          TEXT    NOT NULL,
    folder         TEXT    NOT NULL DEFAULT '',
    body           TEXT    NOT NULL,
    -- front matter keys that Afterword does not know, as YAML, so that an import and an export lose nothing
    extra          TEXT    NOT NULL DEFAULT '',
    -- grows by 1 at each save
    revision       BIGINT  NOT NULL DEFAULT 1 CHECK (revision >= 1),
    -- of what is embedded: title and body
    content_hash   TEXT    NOT NULL,
    skip_embedding BOOLEAN NOT NULL DEFAULT FALSE,
    created_at     BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL
);
CREATE INDEX articles_by_folder ON articles (folder, slug);
CREATE INDEX articles_by_update ON articles (updated_at DESC, id DESC);

-- Revisions that are no longer the present one. They outlive the article, so that a deletion can be undone:
-- no foreign key.
CREATE TABLE article_versions (
    article_id     BIGINT  NOT NULL,
    revision       BIGINT  NOT NULL,
    slug           TEXT    NOT NULL,
    title          TEXT    NOT NULL,
    folder         TEXT    NOT NULL,
    body           TEXT    NOT NULL,
    extra          TEXT    NOT NULL,
    content_hash   TEXT    NOT NULL,
    skip_embedding BOOLEAN NOT NULL,
    created_at     BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL,
    -- when the next revision, or the deletion, took its place
    superseded_at  BIGINT  NOT NULL,
    deleted        BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (article_id, revision)
);
CREATE INDEX article_versions_deleted ON article_versions (slug, superseded_at) WHERE deleted;

-- Slugs an article had before it was renamed; they keep working.
CREATE TABLE slug_aliases (
    slug       TEXT   PRIMARY KEY NOT NULL,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE INDEX slug_aliases_by_article ON slug_aliases (article_id);

-- A create with a key that was used before answers with the first article.
CREATE TABLE idempotency_keys (
    key          TEXT   PRIMARY KEY NOT NULL,
    request_hash TEXT   NOT NULL,
    article_id   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Full text; rowid is articles.id. Saves write it, deletions clear it by trigger.
CREATE VIRTUAL TABLE article_words USING fts5 (
    title, body,
    content = '', contentless_delete = 1,
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER article_words_follow_deletion AFTER DELETE ON articles BEGIN
    DELETE FROM article_words WHERE rowid = OLD.id;
END;
