-- Words in the whole article, title and body: a word says less in a long text. The same in each of its parts.
ALTER TABLE article_words ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
UPDATE article_words w SET length = counted.words FROM (
    SELECT p.article_id, CAST(sum(cardinality(word.positions)) AS INTEGER) AS words
    FROM article_words p CROSS JOIN LATERAL unnest(p.words) word
    GROUP BY p.article_id) counted
WHERE counted.article_id = w.article_id;
ALTER TABLE article_words ALTER COLUMN length DROP DEFAULT;
