-- A file chooses its indexes by their columns.
SELECT 1;
