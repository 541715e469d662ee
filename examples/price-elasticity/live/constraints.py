"""What every result of the pipeline must satisfy: looks whether each constraint of `constraints.json` holds.

A constraint has the rows that it is about, and what holds for each of them, both in SQL. Exits with 0 when all hold,
1 when one does not, 2 when it could not be told: a table is missing, or a constraint has seen no row.
"""
import sys

sys.dont_write_bytecode = True

import argparse
import csv
import json
import pathlib
import sqlite3

CONSTRAINTS = pathlib.Path(__file__).resolve().parent / "constraints.json"
SHOWN_MAX = 5


class UnknownError(Exception):
    """It could not be told whether a constraint holds."""


def value(text):
    """A cell of a table: nothing, a number, or a text."""
    if text == "":
        return None
    try:
        return float(text)
    except ValueError:
        return text


def load(database, name, path):
    """Reads a CSV file into a table."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if not header:
            raise UnknownError("%s has no header" % path)
        database.execute('CREATE TABLE "%s" (%s)' % (name, ", ".join('"%s"' % column for column in header)))
        marks = ", ".join("?" for _ in header)
        rows = ([value(text) for text in fields] for fields in reader)
        database.executemany('INSERT INTO "%s" VALUES (%s)' % (name, marks), rows)


def look(database, constraint):
    """How many rows a constraint is about, and those for which it does not hold. Nothing (NULL) never holds."""
    rows, holds = constraint["rows"], constraint["holds"]
    seen = database.execute("SELECT count(*) FROM %s" % rows).fetchone()[0]
    if seen == 0:
        raise UnknownError("%s: there is no row to look at" % constraint["name"])
    cursor = database.execute("SELECT * FROM %s AND NOT coalesce(%s, FALSE)" % (rows, holds))
    names = [column[0] for column in cursor.description]
    return seen, [dict(zip(names, row)) for row in cursor]


def check(folder, description):
    """Looks at all constraints; yields name, rows seen, rows violated."""
    database = sqlite3.connect(":memory:")
    try:
        for name, path in description["tables"].items():
            load(database, name, folder / path)
        for constraint in description["constraints"]:
            yield (constraint["name"],) + look(database, constraint)
    finally:
        database.close()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path, help="the folder that a run has written")
    options = parser.parse_args(arguments)
    violated = False
    try:
        for name, seen, rows in check(options.results, json.loads(CONSTRAINTS.read_text(encoding="utf-8"))):
            print("%s: %s, %d of %d rows" % ("no" if rows else "yes", name, seen - len(rows), seen))
            for row in rows[:SHOWN_MAX]:
                print("  %s" % ", ".join("%s=%s" % cell for cell in row.items()))
            violated = violated or bool(rows)
    except (UnknownError, OSError, sqlite3.Error, ValueError, KeyError) as error:
        print("error: could not tell: %s" % error, file=sys.stderr)
        return 2
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
