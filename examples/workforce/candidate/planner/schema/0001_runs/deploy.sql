-- Which planner came how far. What the monolith did is one run of it.
CREATE TABLE runs (first_year INTEGER NOT NULL, last_year INTEGER NOT NULL, planner TEXT NOT NULL);
INSERT INTO runs SELECT min(year), max(year), 'monolith' FROM summary HAVING count(*) > 0;
