-- The front matter of the article's file as it is written, fences and all; empty if there is none. Where it is empty,
-- `extra` of earlier versions still counts.
ALTER TABLE articles ADD COLUMN front_matter TEXT NOT NULL DEFAULT '';
ALTER TABLE article_versions ADD COLUMN front_matter TEXT NOT NULL DEFAULT '';

-- Folders of files that were imported or exported.
CREATE TABLE sources (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- given by a person; NULL if the folder is known by its place alone
    name       TEXT    UNIQUE,
    -- the computer the folder is on; empty on SQLite, whose database is on the same one
    machine    TEXT    NOT NULL,
    root       TEXT    NOT NULL,
    -- below which folder its articles stand
    folder     TEXT    NOT NULL DEFAULT '',
    created_at BIGINT  NOT NULL
);
CREATE UNIQUE INDEX sources_by_root ON sources (machine, root, folder) WHERE name IS NULL;

-- Files, and the article each of them is. A row outlives its article, so that a file does not bring back what was
-- deleted: no foreign key.
CREATE TABLE article_sources (
    source_id  BIGINT  NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    -- below the source's root, separated by /
    path       TEXT    NOT NULL,
    article_id BIGINT  NOT NULL,
    -- SHA-256 of the file when it was last read or written
    file_hash  TEXT    NOT NULL,
    -- the article's revision, slug and folder at that moment
    revision   BIGINT  NOT NULL,
    slug       TEXT    NOT NULL,
    folder     TEXT    NOT NULL,
    -- whether an export wrote the file
    written    BOOLEAN NOT NULL,
    PRIMARY KEY (source_id, path)
);
CREATE INDEX article_sources_by_article ON article_sources (article_id);
