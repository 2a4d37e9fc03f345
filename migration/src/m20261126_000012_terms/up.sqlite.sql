-- Full text, as terms that the program makes of it; rowid is articles.id. Saves write it, deletions clear it by trigger.
-- What stands in article_words was written by an earlier version, and is found there until it has been written here.
CREATE VIRTUAL TABLE article_terms USING fts5 (
    title, body,
    content = '', contentless_delete = 1,
    tokenize = 'ascii'
);
-- In how many articles each term occurs.
CREATE VIRTUAL TABLE article_vocabulary USING fts5vocab ('article_terms', 'row');
CREATE TRIGGER article_terms_follow_deletion AFTER DELETE ON articles BEGIN
    DELETE FROM article_terms WHERE rowid = OLD.id;
END;

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
INSERT INTO fulltext_state (id, language, version, rebuilt_to) VALUES (1, 'english', 1, 0);
