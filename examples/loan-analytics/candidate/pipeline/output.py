"""Phase 4: writes the results, tables as CSV, documents as JSON. Numbers are written in full."""
import csv
import json
import os
from decimal import Decimal

CENT = Decimal("0.01")
FORMS = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    Decimal: lambda value: str(value.quantize(CENT)),
    float: repr,
}


def cell(value):
    """A value as it stands in a table: money with two places, other fractions in full, nothing as nothing."""
    return FORMS.get(type(value), str)(value)


def write_table(path, columns, rows):
    """Writes rows with their columns in this order. A row that lacks one is an error."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([cell(row[column]) for column in columns] for row in rows)


def write_document(path, document):
    """Writes a document, its members by name."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, sort_keys=True)
        file.write("\n")


def export(folder, results, exports):
    """Writes all results into a folder, which is made; returns the names of the files."""
    os.makedirs(folder, exist_ok=True)
    for name, table in exports["tables"].items():
        write_table(os.path.join(folder, table["file"]), table["columns"], results[name])
    for name, file in exports["documents"].items():
        write_document(os.path.join(folder, file), results[name])
    return [table["file"] for table in exports["tables"].values()] + list(exports["documents"].values())
