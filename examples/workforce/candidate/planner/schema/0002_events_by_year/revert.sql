DROP INDEX events_by_year;
