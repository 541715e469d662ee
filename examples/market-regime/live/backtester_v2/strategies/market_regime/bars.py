"""Daily bars with what the options of the day said."""
import csv
from dataclasses import dataclass, fields

from .errors import DataError


@dataclass(frozen=True)
class Bar:
    """A day."""

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    implied_volatility: float
    call_volume: float
    put_volume: float

    def __post_init__(self):
        if not 0 < self.low <= min(self.open, self.close) <= max(self.open, self.close) <= self.high:
            raise DataError("%s: low, open, close and high are not in order" % self.date)


def read_bars(path):
    """The bars of a CSV file, in the order of their days."""
    names = [field.name for field in fields(Bar)]
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in names if name not in (reader.fieldnames or [])]
        if missing:
            raise DataError("%s has no column `%s`" % (path, missing[0]))
        rows = list(reader)
    bars = [Bar(row["date"], *(float(row[name]) for name in names[1:])) for row in rows]
    if any(later.date <= earlier.date for earlier, later in zip(bars, bars[1:])):
        raise DataError("%s: the days are not in order" % path)
    return bars
