"""Who works, and what is known of everybody who ever did."""

import csv
from dataclasses import dataclass


@dataclass
class Person:
    level: int
    salary: float
    enrolled: bool
    deferral: float


@dataclass
class Entry:
    """An entry of the registry."""

    hired: int
    left_in: "int | None" = None
    enrolled_in: "int | None" = None


def load_census(path, start):
    workforce, registry = {}, {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            enrolled = row["enrolled"] == "yes"
            person = Person(int(row["level"]), float(row["salary"]), enrolled, float(row["deferral"]))
            workforce[row["employee"]] = person
            registry[row["employee"]] = Entry(start - 1, None, start - 1 if enrolled else None)
    return workforce, registry
