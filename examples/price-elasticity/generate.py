"""Writes made-up weekly `sales.csv` and `quotes.csv`: for one seed the same bytes on every Python.

Of the random generator only `random()` is used, and of arithmetic only what IEEE 754 fixes: logarithm and
exponential are written out. The figures have the faults that real ones have: weeks without a figure, figures that
are corrected by a later line, quotes that are missing, and a product that is no longer sold.
"""
import argparse
import datetime
import os
import random
import sys

FIRST_WEEK = datetime.date(2021, 1, 2)
WEEKS_MIN = 30
LAG_WEEKS = 2
PROVIDERS = {"own": 1.0, "alder": 0.5, "birch": 0.3, "cedar": 0.2}

# By product: sales of a week (millions), yearly fee and cap (percent), effects of the own price and of the
# competitors' (elasticities), of the own cap and of the competitors' (for one percentage point, now and two weeks
# later), of the season, and of a year.
PRODUCTS = {
    "harvest": (2.4, 1.20, 7.5, -1.10, 0.50, (0.110, 0.060), (-0.080, -0.050), 0.16, 0.04),
    "meadow": (1.1, 0.95, 6.0, -1.45, 0.70, (0.140, 0.070), (-0.090, -0.060), -0.10, 0.02),
    "summit": (3.2, 1.50, 9.0, -0.90, 0.40, (0.080, 0.050), (-0.060, -0.040), 0.12, -0.03),
    "valley": (0.7, 0.80, 5.0, -1.70, 0.80, (0.160, 0.090), (-0.110, -0.060), 0.08, 0.06),
}
RETIRED = "orchard"
NEW_LEVEL, PRICE_SPREAD, CAP_SPREAD = 0.22, 0.15, 1.5
NOISE = 0.05
QUARTER_END = 0.12
NO_FIGURE, CORRECTED, NO_QUOTE = 0.010, 0.015, 0.012


def logarithm(value):
    """The natural logarithm of a number near 1, by its series."""
    ratio = (value - 1.0) / (value + 1.0)
    power, total = ratio, 0.0
    for odd in range(1, 60, 2):
        total += power / odd
        power *= ratio * ratio
    return 2.0 * total


def exponential(value):
    """The exponential of a small number, by its series."""
    term, total = 1.0, 1.0
    for step in range(1, 40):
        term *= value / step
        total += term
    return total


def noise(chance):
    """Twelve even chances, less six: near enough to normal with standard deviation 1."""
    total = -6.0
    for _ in range(12):
        total += chance()
    return total


def make_levels(chance, weeks, fee, cap):
    """What one provider asks and credits, week by week: a level is held for some weeks, and then another one."""
    levels = []
    for week in range(weeks):
        if week == 0 or chance() < NEW_LEVEL:
            price = round(100.0 * fee * (1.0 + PRICE_SPREAD * (2.0 * chance() - 1.0)))
            credited = 5 * round(20.0 * (cap + CAP_SPREAD * (2.0 * chance() - 1.0)))
        levels.append((price / 100.0, credited / 100.0))
    return levels


def season(date):
    """From 0 in winter to 1 in summer."""
    part = (date - datetime.date(date.year, 1, 1)).days / 366.0
    return 4.0 * part * (1.0 - part)


def is_quarter_end(date):
    return date.month % 3 == 0 and (date + datetime.timedelta(days=7)).month != date.month


def make_sales(chance, name, levels, week):
    """The sales of one product in one week, in millions."""
    sales, fee, cap, own_price, other_price, own_caps, other_caps, summer, yearly = PRODUCTS[name]
    date = FIRST_WEEK + datetime.timedelta(days=7 * week)
    power = summer * season(date) + yearly * week / 52.0 + NOISE * noise(chance)
    power += QUARTER_END if is_quarter_end(date) else 0.0
    for provider, weight in PROVIDERS.items():
        elasticity, effects = (own_price, own_caps) if provider == "own" else (other_price, other_caps)
        power += weight * elasticity * logarithm(levels[provider][week][0] / fee)
        for effect, past in zip(effects, (week, max(0, week - LAG_WEEKS))):
            power += weight * effect * (levels[provider][past][1] - cap)
    return sales * exponential(power)


def make_product(chance, name, weeks):
    """The lines of both files for one product."""
    _, fee, cap = PRODUCTS[name][:3]
    levels = {provider: make_levels(chance, weeks, fee, cap) for provider in PROVIDERS}
    sales, quotes = [], []
    for week in range(weeks):
        date = (FIRST_WEEK + datetime.timedelta(days=7 * week)).isoformat()
        for provider in PROVIDERS:
            # The first weeks are whole, so that there is something to carry on.
            if week < LAG_WEEKS or chance() >= NO_QUOTE:
                quotes.append("%s,%s,%s,%.2f,%.2f\n" % ((date, name, provider) + levels[provider][week]))
        figure = make_sales(chance, name, levels, week)
        fate = chance()
        if fate < NO_FIGURE:
            sales.append("%s,%s,\n" % (date, name))
            continue
        if fate < NO_FIGURE + CORRECTED:
            sales.append("%s,%s,%.3f\n" % (date, name, 10.0 * figure))
        sales.append("%s,%s,%.3f\n" % (date, name, figure))
    return sales, quotes


def write_data(seed, weeks, names, out):
    """Writes both files into the folder `out`; returns how many lines of data each has."""
    chance = random.Random(seed).random
    sales, quotes = ["week,product,sales\n"], ["week,product,provider,price,cap_rate\n"]
    for name in names:
        for lines, more in zip((sales, quotes), make_product(chance, name, weeks)):
            lines.extend(more)
    for week in range(4):
        date = FIRST_WEEK + datetime.timedelta(days=7 * week)
        sales.append("%s,%s,%.3f\n" % (date.isoformat(), RETIRED, 0.1 * chance()))
    os.makedirs(out, exist_ok=True)
    for name, lines in (("sales.csv", sales), ("quotes.csv", quotes)):
        with open(os.path.join(out, name), "w", encoding="ascii", newline="") as file:
            file.writelines(lines)
    return len(sales) - 1, len(quotes) - 1


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True, help="the same seed gives the same data")
    parser.add_argument("--weeks", type=int, default=208, help="how many weeks (208)")
    parser.add_argument("--products", type=int, default=4, help="how many products (4)")
    parser.add_argument("--out", required=True, help="the folder for sales.csv and quotes.csv")
    options = parser.parse_args(arguments)
    if options.weeks < WEEKS_MIN:
        parser.error("--weeks must be %d or more, so that there is something to fit" % WEEKS_MIN)
    if not 1 <= options.products <= len(PRODUCTS):
        parser.error("--products must be from 1 to %d" % len(PRODUCTS))
    names = list(PRODUCTS)[: options.products]
    counts = write_data(options.seed, options.weeks, names, options.out)
    print("%d lines of sales and %d quotes in %s" % (counts + (options.out,)))


if __name__ == "__main__":
    main(sys.argv[1:])
