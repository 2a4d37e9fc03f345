-- What was read is right for earlier versions too.
SELECT 1;
