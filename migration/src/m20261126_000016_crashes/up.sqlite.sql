-- At how many deaths of a host it was in work: the more, the fewer tasks are in work beside it.
ALTER TABLE embedding_tasks ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
