"""Orders as they are read from a CSV file."""
import csv
from collections import namedtuple

Order = namedtuple("Order", "region quantity price")


def read(path):
    """Yields every order of the file, in its order."""
    with open(path, newline="") as lines:
        for line in csv.DictReader(lines):
            yield Order(line["region"], int(line["quantity"]), float(line["price"]))
