CREATE INDEX events_by_year ON events (year, number);
