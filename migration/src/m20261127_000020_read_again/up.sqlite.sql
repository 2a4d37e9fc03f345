-- Links in properties, and links whose text is behind an escaped bar, are read since: articles are read once more, in the
-- background.
INSERT INTO unread_articles (article_id) SELECT id FROM articles WHERE TRUE ON CONFLICT DO NOTHING;
-- Files that people have called as copies are called, but without the digits of a copy, were taken for copies.
UPDATE article_sources SET is_copy = FALSE
WHERE is_copy AND path NOT GLOB '* (conflict [0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*).*'
      AND path NOT GLOB '* (saved late [0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*).*';
