"""Tables and documents on disk: CSV and JSON, numbers written in full."""
import csv
import datetime
import json
import math
import os


class InputError(Exception):
    """What was read cannot be used; says where."""


def read_table(path, columns):
    """Yields a place, for messages, and a dictionary of texts for each line. The header has to be `columns`."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, None)
        if header != list(columns):
            raise InputError("%s: the header is not `%s`" % (path, ",".join(columns)))
        for fields in reader:
            place = "%s:%d" % (path, reader.line_num)
            if len(fields) != len(columns):
                raise InputError("%s: %d fields, not %d" % (place, len(fields), len(columns)))
            yield place, dict(zip(columns, fields))


def read_date(text, place):
    """A date from YYYY-MM-DD."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InputError("%s: `%s` is no date" % (place, text)) from None


def read_number(text, place):
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError("%s: `%s` is no number" % (place, text))
    return number


def cell(value):
    """A value as it stands in a table: a fraction with all its digits, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def write_table(folder, name, columns, rows):
    """Writes rows with their columns in this order. A row that lacks one is an error."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([cell(row[column]) for column in columns])


def write_document(folder, name, document):
    """Writes a document, its members by name."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, sort_keys=True)
        file.write("\n")
