CREATE INDEX articles_by_creation ON articles (created_at DESC, id DESC);

-- Tags of an article, from its front matter and its text.
CREATE TABLE article_tags (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    -- in small letters, without #; levels are separated by /
    tag        TEXT   NOT NULL,
    -- as it is written
    name       TEXT   NOT NULL,
    PRIMARY KEY (article_id, tag)
) WITHOUT ROWID;
CREATE INDEX article_tags_by_tag ON article_tags (tag, article_id);

-- Values of an article's front matter; a list has a row for each of its items.
CREATE TABLE article_properties (
    article_id BIGINT  NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    -- in small letters
    key        TEXT    NOT NULL,
    -- in a list, from 0
    position   INTEGER NOT NULL,
    -- text, number, switch or time
    kind       TEXT    NOT NULL,
    -- as it is written
    value      TEXT    NOT NULL,
    -- the beginning of the value in small letters, by which it is found
    folded     TEXT    NOT NULL,
    -- thousandths of a number; 0 or 1 of a switch; milliseconds since 1970 of a time
    number     BIGINT,
    PRIMARY KEY (article_id, key, position)
) WITHOUT ROWID;
CREATE INDEX article_properties_by_text ON article_properties (key, folded, article_id);
CREATE INDEX article_properties_by_number ON article_properties (key, number, article_id) WHERE number IS NOT NULL;

-- Articles whose tags, properties and links have not been read yet: those that an earlier version of the program has saved.
-- They are read in the background.
CREATE TABLE unread_articles (
    article_id INTEGER PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE
);
INSERT INTO unread_articles (article_id) SELECT id FROM articles;
