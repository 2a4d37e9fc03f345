-- The words of the earlier version, of long texts the beginning; `afterword index rebuild` of that version writes all.
DELETE FROM article_words;
INSERT INTO article_words (article_id, part, length, title, words)
SELECT a.id, 0, cardinality(regexp_split_to_array(a.body, '\s+')), t.words,
       t.words || to_tsvector('afterword', left(a.body, 50000))
FROM articles a
CROSS JOIN LATERAL (SELECT setweight(to_tsvector('afterword', a.title), 'A') AS words) t;
DROP TABLE fulltext_state;
DROP TABLE article_terms;
