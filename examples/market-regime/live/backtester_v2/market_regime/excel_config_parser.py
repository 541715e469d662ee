"""The configuration: sheets, each a list of rows."""
import csv
import os

from .errors import ConfigError

# The endings of files that are read.
SUPPORTED = (".csv",)


def number(text):
    """A number where it looks like one, else the text: thousands may be set apart, and per cent are hundredths.

    >>> number("1,250.5"), number("12%"), number("low")
    (1250.5, 0.12, 'low')
    """
    word = text.strip()
    plain = word.replace(",", "")
    try:
        return float(plain[:-1]) / 100.0 if plain.endswith("%") else float(plain)
    except ValueError:
        return word


def rows_of(file):
    """The rows of an open CSV file, by their columns."""
    return [{name: number(value or "") for name, value in row.items()} for row in csv.DictReader(file)]


class ExcelConfigParser:
    """Reads a configuration as a person keeps it."""

    def __init__(self, path):
        self.path = path

    def parse(self):
        """All sheets: a folder has a CSV file for each."""
        if not os.path.isdir(self.path):
            raise ConfigError("there is no folder `%s`" % self.path)
        found = {}
        for name in sorted(os.listdir(self.path)):
            stem, ending = os.path.splitext(name)
            if ending in SUPPORTED:
                with open(os.path.join(self.path, name), newline="", encoding="utf-8") as file:
                    found[stem] = rows_of(file)
        if not found:
            raise ConfigError("`%s` holds no sheet" % self.path)
        return found

    def sheet(self, name):
        """The rows of one sheet."""
        sheets = self.parse()
        if name not in sheets:
            raise ConfigError("`%s` has no sheet `%s`" % (self.path, name))
        return sheets[name]
