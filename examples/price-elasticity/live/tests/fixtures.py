"""What the tests work on: two products, two competitors, and weeks that count from January 2, 2021."""
import datetime
import os
import pathlib
import random
import tempfile

DATA = pathlib.Path(__file__).resolve().parent / "data"
FIRST = datetime.date(2021, 1, 2)
SALES_HEADER = "week,product,sales"
QUOTES_HEADER = "week,product,provider,price,cap_rate"
# Of the coefficients that `features` below are made with; all others are 0.
TRUTH = {"log_own_price": -1.5, "own_cap": 0.2, "trend": 0.1}
INTERCEPT = 0.5


def settings(**other):
    """Settings for two products."""
    result = {
        "products": ["alpha", "beta"],
        "competitors": {"first": 0.75, "second": 0.25},
        "carry_weeks_max": 2,
        "lag_weeks": 2,
        "penalty": 0.0001,
        "seed": 1,
        "replicates": 5,
        "block_weeks": 4,
        "level": 0.9,
        "scenarios": [
            {"name": "as_is", "cap_change": 0.0, "price_change": 0.0},
            {"name": "cap_up", "cap_change": 1.0, "price_change": 0.0},
            {"name": "price_up", "cap_change": 0.0, "price_change": 0.1},
        ],
    }
    result.update(other)
    return result


def week(number):
    """The week with a number, from 0."""
    return FIRST + datetime.timedelta(days=7 * number)


def sale(number, product="alpha", sales=1.0):
    """A row of sales as it is after it was read."""
    return {"product": product, "week": week(number), "sales": sales}


def quote(number, product="alpha", **other):
    """A row of quotes as it is after it was read. The competitors never change theirs."""
    result = {
        "product": product,
        "week": week(number),
        "own_price": 1.0,
        "own_cap": 6.0,
        "first_price": 1.2,
        "first_cap": 7.0,
        "second_price": 0.8,
        "second_cap": 5.0,
    }
    result.update(other)
    return result


def features(count, names, noise=0.0, products=("alpha", "beta")):
    """Rows of features that vary, and sales that follow from them by `TRUTH`, with some noise."""
    chance = random.Random(5).random
    rows = []
    for product in products:
        for number in range(count):
            row = {name: chance() for name in names}
            row["trend"] = number / 52.0
            power = INTERCEPT + noise * (chance() - 0.5)
            for name, effect in TRUTH.items():
                power += effect * row[name]
            row.update(product=product, week=week(number), log_sales=power)
            rows.append(row)
    return rows


class Folder:
    """A folder that is gone after the test."""

    def __init__(self, test):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.name = folder.name

    def path(self, name):
        return os.path.join(self.name, name)

    def write(self, name, header, lines):
        """Writes a header and lines as they are; returns the path."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in [header] + lines))
        return path
