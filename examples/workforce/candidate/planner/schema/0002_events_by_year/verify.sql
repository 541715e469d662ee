SELECT count(*) FROM sqlite_schema WHERE name = 'events_by_year';
