-- What the ranking has to know of an article besides its words: how many there are, title and body, because a word says
-- less in a long text (the same in each of its parts); and those of the title (in the first part) by themselves, so that a
-- long text need not be read a second time for them. With defaults, so that hosts of an earlier version can save.
ALTER TABLE article_words ADD COLUMN length INTEGER NOT NULL DEFAULT 0, ADD COLUMN title TSVECTOR NOT NULL DEFAULT '';
UPDATE article_words w SET length = counted.words, title = ts_filter(w.words, '{a}') FROM (
    SELECT p.article_id, CAST(sum(cardinality(word.positions)) AS INTEGER) AS words
    FROM article_words p CROSS JOIN LATERAL unnest(p.words) word
    GROUP BY p.article_id) counted
WHERE counted.article_id = w.article_id;
