-- Whether the folder is kept in step with the articles: another one that overlaps it cannot be.
ALTER TABLE sources ADD COLUMN kept BOOLEAN NOT NULL DEFAULT FALSE;
