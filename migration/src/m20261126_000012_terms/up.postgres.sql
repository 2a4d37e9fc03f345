-- Full text, as terms that the program makes of it. Saves write it, and deletions clear it.
-- What stands in article_words was written by an earlier version, and is found there until it has been written here.
CREATE TABLE article_terms (
    article_id BIGINT   NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    -- a long text has several: positions in a vector end at 16,383
    part       INTEGER  NOT NULL,
    -- terms of the whole article, the same in each part
    length     INTEGER  NOT NULL,
    -- those of the title, in the first part
    title      TSVECTOR NOT NULL,
    -- title and text
    words      TSVECTOR NOT NULL,
    PRIMARY KEY (article_id, part)
);
CREATE INDEX article_terms_by_term ON article_terms USING gin (words);

-- How the terms were made: one row.
CREATE TABLE fulltext_state (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    -- whose stems they are
    language   TEXT    NOT NULL,
    -- the rules by which all of them were made, once rebuilt_to is NULL
    version    INTEGER NOT NULL,
    -- up to this article they have been made by the present rules; NULL if all have
    rebuilt_to BIGINT
);
INSERT INTO fulltext_state (id, language, version, rebuilt_to)
SELECT 1, coalesce((SELECT substring(dictinitoption FROM 'language = ''(\w+)''')
                    FROM pg_ts_dict WHERE oid = CAST('afterword_stems' AS regdictionary)), 'english'), 1, 0;
