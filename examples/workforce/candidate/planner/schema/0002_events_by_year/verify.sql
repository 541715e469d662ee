SELECT count(*) FROM sqlite_master WHERE name = 'events_by_year';
