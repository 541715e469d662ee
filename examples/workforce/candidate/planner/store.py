"""The database of a simulation, and the results that are written from it.

It is one of SQLite, or of DuckDB when PLANNER_DATABASE says `duckdb` and its driver is there.
"""

import contextlib
import csv
import os
import sqlite3

TABLES = {
    "events": ["year", "number", "employee", "kind", "amount"],
    "workforce": ["year", "employee", "level", "salary", "enrolled", "deferral"],
    "registry": ["employee", "hired", "left_in", "enrolled_in"],
    "summary": ["year", "headcount", "payroll", "participation", "deferrals"],
}
# Of each column the type, too: DuckDB wants one.
TYPES = {"employee": "TEXT", "kind": "TEXT"}
TYPES.update(dict.fromkeys(["amount", "salary", "deferral", "payroll", "participation", "deferrals"], "DOUBLE"))


def connect(path):
    """A connection whose transactions begin where it says so."""
    if os.environ.get("PLANNER_DATABASE") == "duckdb":
        import duckdb

        return duckdb.connect(path)
    return sqlite3.connect(path, isolation_level=None)


class Store:
    def __init__(self, path):
        self.database = connect(path)
        for table, columns in TABLES.items():
            typed = ", ".join(f"{column} {TYPES.get(column, 'INTEGER')}" for column in columns)
            self.database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({typed})")

    def close(self):
        self.database.close()

    @contextlib.contextmanager
    def _transaction(self):
        self.database.execute("BEGIN TRANSACTION")
        yield
        self.database.execute("COMMIT")

    def save_year(self, year, events, workforce, registry, summary):
        with self._transaction():
            for table in ("events", "workforce", "summary"):
                self.database.execute(f"DELETE FROM {table} WHERE year >= ?", [year])
            self.database.execute("DELETE FROM registry")
            self._insert("events", events)
            self._insert("workforce", [[year, name, *vars(one).values()] for name, one in sorted(workforce.items())])
            self._insert("registry", [[name, *vars(one).values()] for name, one in sorted(registry.items())])
            self._insert("summary", [summary])

    def _insert(self, table, rows):
        marks = ", ".join("?" for _ in TABLES[table])
        if rows:
            self.database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def note_run(self, first, last):
        """Where there is a table of runs: the database of a simulation that began before has one."""
        if self.database.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
            self.database.execute("INSERT INTO runs VALUES (?, ?, 'modules')", [first, last])

    def summaries(self):
        return [list(row) for row in self.database.execute("SELECT * FROM summary ORDER BY year").fetchall()]

    def write_results(self, folder):
        os.makedirs(folder, exist_ok=True)
        for table, columns in TABLES.items():
            with open(os.path.join(folder, f"{table}.csv"), "w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(columns)
                rows.writerows(self.database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall())
