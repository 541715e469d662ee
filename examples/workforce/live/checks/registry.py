"""Whether the tables of a simulation agree with each other, over all years: `registry.py DIR` looks into DIR/simulation.db."""

import os
import sqlite3
import sys

# Each must select nothing.
CONTRADICTIONS = {
    "who works is in the registry and has not left": """
        SELECT w.year, w.employee FROM workforce AS w LEFT JOIN registry AS r USING (employee)
        WHERE r.employee IS NULL OR r.hired > w.year OR r.left_in <= w.year""",
    "who is enrolled is enrolled in the registry since then": """
        SELECT w.year, w.employee FROM workforce AS w JOIN registry AS r USING (employee)
        WHERE w.enrolled <> CASE WHEN r.enrolled_in <= w.year THEN 1 ELSE 0 END""",
    "nobody works after leaving": """
        SELECT w.year, w.employee FROM workforce AS w JOIN events AS e USING (employee)
        WHERE e.kind = 'termination' AND e.year <= w.year""",
    "every year has the people of the year before, without leavers and with hires": """
        SELECT s.year, s.headcount FROM summary AS s JOIN summary AS b ON b.year = s.year - 1
        WHERE s.headcount <> b.headcount
            - (SELECT count(*) FROM events AS e WHERE e.year = s.year AND e.kind = 'termination')
            + (SELECT count(*) FROM events AS e WHERE e.year = s.year AND e.kind = 'hire')""",
    "the summary counts the people": """
        SELECT year, headcount FROM summary AS s
        WHERE headcount <> (SELECT count(*) FROM workforce AS w WHERE w.year = s.year)""",
}

path = f"{sys.argv[1]}/simulation.db"
if os.environ.get("PLANNER_DATABASE") == "duckdb":
    import duckdb

    database = duckdb.connect(path, read_only=True)
else:
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
if not database.execute("SELECT count(*) FROM workforce").fetchone()[0]:
    sys.exit("there is nobody to look at")
for name, query in CONTRADICTIONS.items():
    found = database.execute(query).fetchall()
    if found:
        sys.exit(f"it does not hold that {name}: {len(found)} times, first {found[0]}")
