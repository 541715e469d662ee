"""Third stage: the effects of all features, and how much they vary when weeks are drawn again.

Whole blocks of weeks are drawn, because the sales of one week resemble those of the next.
"""
import random

from .features import FEATURES
from .ridge import Regression, mean_and_deviation
from .tables import InputError

# The intercept comes first, as in the equations.
NAMES = ("intercept",) + FEATURES
COLUMNS = ("product", "feature", "coefficient", "mean", "standard_deviation")


def standardize(rows):
    """Rows of the regression (a one, and the features in standard deviations), and the scale of each feature.

    A feature that never changes is left as it is, so that nothing is divided by zero.
    """
    scales = []
    for name in FEATURES:
        mean, deviation = mean_and_deviation([row[name] for row in rows])
        scales.append((mean, deviation or 1.0))
    centre = list(zip(FEATURES, scales))
    return [[1.0] + [(row[name] - mean) / deviation for name, (mean, deviation) in centre] for row in rows], scales


def unscale(solution, scales):
    """Coefficients for features in their own units, from those for standardized ones."""
    intercept, *values = solution
    coefficients = [value / deviation for value, (_, deviation) in zip(values, scales)]
    for coefficient, (mean, _) in zip(coefficients, scales):
        intercept -= coefficient * mean
    return [intercept] + coefficients


def draw_blocks(chance, count, length):
    """So many row numbers, in blocks of neighbours that begin anywhere."""
    drawn = []
    while len(drawn) < count:
        start = int(chance() * (count - length + 1))
        drawn.extend(range(start, start + length))
    return drawn[:count]


class Model:
    """The regression of one product, ready for any drawing of its weeks."""

    def __init__(self, rows, product, settings):
        own = [row for row in rows if row["product"] == product]
        self.length = settings["block_weeks"]
        if len(own) <= max(len(NAMES), self.length):
            raise InputError("`%s` has %d weeks, which are too few" % (product, len(own)))
        self.weeks = len(own)
        standardized, self.scales = standardize(own)
        self.regression = Regression(standardized, [row["log_sales"] for row in own], settings["penalty"])
        # By name, so that another product changes nothing for this one.
        self.chance = random.Random("%d %s" % (settings["seed"], product)).random

    def coefficients(self, drawn):
        """The coefficients from the weeks with these numbers."""
        return unscale(self.regression.fit(drawn), self.scales)

    def estimate(self, replicates):
        """The coefficients from all weeks, and from each of so many drawings."""
        drawings = (draw_blocks(self.chance, self.weeks, self.length) for _ in range(replicates))
        return {
            "point": self.coefficients(range(self.weeks)),
            "replicates": [self.coefficients(drawn) for drawn in drawings],
        }


def bootstrap(rows, settings):
    """The estimates of all products, by product."""
    replicates = settings["replicates"]
    return {product: Model(rows, product, settings).estimate(replicates) for product in sorted(settings["products"])}


def estimate_rows(estimates):
    """A row for each product and feature: the coefficient, mean and standard deviation of its replicates."""
    rows = []
    for product, found in estimates.items():
        for name, point, drawn in zip(NAMES, found["point"], zip(*found["replicates"])):
            rows.append(dict(zip(COLUMNS, (product, name, point) + mean_and_deviation(drawn))))
    return rows


def replicate_table(estimates):
    """Columns and rows of the replicates: a row for each drawing, a column for each product and feature."""
    columns = ["replicate"] + ["%s_%s" % (product, name) for product in estimates for name in NAMES]
    rows = []
    for number, values in enumerate(zip(*(found["replicates"] for found in estimates.values()))):
        rows.append(dict(zip(columns, [number] + [value for coefficients in values for value in coefficients])))
    return columns, rows
