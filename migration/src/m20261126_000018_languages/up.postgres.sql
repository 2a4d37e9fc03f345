-- In which language an article is, where that is known and another than that of fulltext_state: its words are indexed by
-- the stems of it. Saves write it.
CREATE TABLE article_languages (
    article_id BIGINT PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    language   TEXT   NOT NULL
);
CREATE INDEX article_languages_by_language ON article_languages (language);
