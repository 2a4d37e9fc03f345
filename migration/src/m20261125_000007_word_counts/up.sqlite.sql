-- FTS5 counts the words of a file by itself.
SELECT 1;
