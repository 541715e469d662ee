SELECT (SELECT count(*) FROM summary) = 0 OR (SELECT count(*) FROM runs) > 0;
