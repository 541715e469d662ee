"""Writes the results: tables as CSV, documents as JSON. Numbers are written in full."""
import csv
import json
import os
import re
from decimal import Decimal

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*):-([^}]*)\}")


def fill(text, variables):
    """`${NAME:-text}` becomes the variable of the environment, or the text where it is not set."""
    return PLACEHOLDER.sub(lambda found: variables.get(found.group(1)) or found.group(2), text)


def cell(value):
    """A value as it stands in a table: money with two places, other fractions in full, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(value.quantize(Decimal("0.01")))
    if isinstance(value, float):
        return repr(value)
    return str(value)


def write_table(path, columns, rows):
    """Writes rows with their columns in this order. A row that lacks one is an error."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([cell(row[column]) for column in columns])


def write_document(path, document):
    """Writes a document, its members by name."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, sort_keys=True)
        file.write("\n")


def export(folder, results, exports):
    """Writes all results into a folder, which is made; returns the names of the files."""
    os.makedirs(folder, exist_ok=True)
    names = []
    for name, table in exports["tables"].items():
        write_table(os.path.join(folder, table["file"]), table["columns"], results[name])
        names.append(table["file"])
    for name, file in exports["documents"].items():
        write_document(os.path.join(folder, file), results[name])
        names.append(file)
    return names
