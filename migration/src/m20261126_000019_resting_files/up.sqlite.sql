-- What the file was like when it held what file_hash says: one that is still like that need not be read. Empty if not known.
ALTER TABLE article_sources ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
-- Whether it is a copy that was put beside a file, by its name: those of all folders are looked for after each change.
ALTER TABLE article_sources ADD COLUMN is_copy BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE article_sources SET is_copy = TRUE WHERE path LIKE '% (conflict %).%' OR path LIKE '% (saved late %).%';
CREATE INDEX article_sources_copies ON article_sources (source_id, path) WHERE is_copy;
