-- Links in the texts of articles, as they are written. To which article one leads is found when it is asked for: names
-- come and go.
CREATE TABLE article_links (
    article_id BIGINT  NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    -- in the text, from 0
    position   INTEGER NOT NULL,
    -- wiki, path or address
    form       TEXT    NOT NULL,
    -- without the part behind #
    target     TEXT    NOT NULL,
    -- the part behind #
    anchor     TEXT    NOT NULL,
    -- the last part of the target, without .md
    name       TEXT    NOT NULL,
    -- the slug that the name would make
    key        TEXT    NOT NULL,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;
CREATE INDEX article_links_by_key ON article_links (key, article_id);

-- Articles by their titles, of which the beginning is enough.
CREATE INDEX articles_by_title ON articles (substr(title, 1, 200));
