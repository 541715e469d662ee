"""Third stage: the effects of all features, and how much they vary when weeks are drawn again.

Whole blocks of weeks are drawn, because the sales of one week resemble those of the next.
"""
import random

from .features import FEATURES
from .ridge import fit, mean_and_deviation
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
        scales.append((mean, deviation if deviation > 0.0 else 1.0))
    standardized = []
    for row in rows:
        values = [1.0]
        for name, (mean, deviation) in zip(FEATURES, scales):
            values.append((row[name] - mean) / deviation)
        standardized.append(values)
    return standardized, scales


def unscale(solution, scales):
    """Coefficients for features in their own units, from those for standardized ones."""
    intercept = solution[0]
    coefficients = []
    for value, (mean, deviation) in zip(solution[1:], scales):
        coefficients.append(value / deviation)
        intercept -= value / deviation * mean
    return [intercept] + coefficients


def draw_blocks(chance, count, length):
    """So many row numbers, in blocks of neighbours that begin anywhere."""
    drawn = []
    while len(drawn) < count:
        start = int(chance() * (count - length + 1))
        drawn.extend(range(start, start + length))
    return drawn[:count]


def replicate(rows, targets, scales, penalty, drawn):
    """The coefficients from the rows that were drawn."""
    return unscale(fit([rows[number] for number in drawn], [targets[number] for number in drawn], penalty), scales)


def estimate(rows, product, settings):
    """The coefficients of one product: from all its rows, and from each drawing."""
    own = [row for row in rows if row["product"] == product]
    length = settings["block_weeks"]
    if len(own) <= max(len(NAMES), length):
        raise InputError("`%s` has %d weeks, which are too few" % (product, len(own)))
    standardized, scales = standardize(own)
    targets = [row["log_sales"] for row in own]
    point = replicate(standardized, targets, scales, settings["penalty"], range(len(own)))
    # By name, so that another product changes nothing for this one.
    chance = random.Random("%d %s" % (settings["seed"], product)).random
    drawn = []
    for _ in range(settings["replicates"]):
        numbers = draw_blocks(chance, len(own), length)
        drawn.append(replicate(standardized, targets, scales, settings["penalty"], numbers))
    return {"point": point, "replicates": drawn}


def bootstrap(rows, settings):
    """The estimates of all products, by product."""
    return {product: estimate(rows, product, settings) for product in sorted(settings["products"])}


def estimate_rows(estimates):
    """A row for each product and feature: the coefficient, mean and standard deviation of its replicates."""
    rows = []
    for product, found in estimates.items():
        for number, name in enumerate(NAMES):
            mean, deviation = mean_and_deviation([values[number] for values in found["replicates"]])
            rows.append(
                {
                    "product": product,
                    "feature": name,
                    "coefficient": found["point"][number],
                    "mean": mean,
                    "standard_deviation": deviation,
                }
            )
    return rows


def replicate_table(estimates):
    """Columns and rows of the replicates: a row for each drawing, a column for each product and feature."""
    columns = ["replicate"] + ["%s_%s" % (product, name) for product in estimates for name in NAMES]
    rows = []
    for number, values in enumerate(zip(*(found["replicates"] for found in estimates.values()))):
        flat = [value for coefficients in values for value in coefficients]
        rows.append(dict(zip(columns, [number] + flat)))
    return columns, rows
