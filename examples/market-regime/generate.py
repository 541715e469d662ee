"""Makes three years of prices and the workbook of the engine behind the screens, the same for the same seed."""
import argparse
import csv
import datetime
import math
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "live"))

from backtester_v2.strategies.market_regime.sheets import write_workbook  # noqa: E402

FIRST = datetime.date(2021, 1, 4)
COLUMNS = (
    "date",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "implied_volatility",
    "call_volume",
    "put_volume",
)
# Drift and volatility of a year, and for how many days they hold at least.
MOODS = ((0.25, 0.09, 30), (-0.3, 0.3, 15), (0.02, 0.12, 25), (0.4, 0.16, 20), (-0.1, 0.18, 20), (0.0, 0.26, 15))


def normal(chance):
    """A normal deviate: the sum of twelve uniform ones, which is the same on every machine."""
    return sum(chance() for _ in range(12)) - 6.0


def days(count):
    """Days on which there is trade: no Saturdays, no Sundays."""
    day = FIRST
    while count:
        if day.weekday() < 5:
            yield day
            count -= 1
        day += datetime.timedelta(days=1)


def bars(chance, count):
    """The rows of the prices."""
    close, left, mood, fear = 100.0, 0, MOODS[0], 0.15
    for day in days(count):
        if not left:
            mood = MOODS[int(chance() * len(MOODS))]
            left = mood[2] + int(chance() * 25)
        left -= 1
        drift, volatility, _ = mood
        step = drift / 252.0 + volatility / math.sqrt(252.0) * normal(chance)
        start = close * (1.0 + 0.2 * volatility / math.sqrt(252.0) * normal(chance))
        close = max(1.0, close * (1.0 + step))
        spread = volatility / math.sqrt(252.0) * 0.5 * chance() * close
        fear += 0.1 * (volatility + 0.02 - fear) + 0.004 * normal(chance)
        fear = max(0.05, fear)
        calls = 60000.0 * (1.0 + 3.0 * step) * (0.7 + 0.6 * chance())
        puts = 52000.0 * (1.0 - 5.0 * step) * (0.7 + 0.6 * chance())
        volume = 1e6 * (1.0 + 8.0 * abs(step)) * (0.8 + 0.4 * chance())
        edges = (max(start, close) + spread, min(start, close) - spread)
        prices = ["%.2f" % value for value in (start, edges[0], edges[1], close)]
        yield [day.isoformat()] + prices + ["%d" % volume, "%.4f" % fear, "%d" % calls, "%d" % puts]


def workbook():
    """The sheets of the engine behind the screens."""
    return {
        "Thresholds": [{"name": "bearish", "value": -0.12}, {"name": "bullish", "value": 0.12}],
        "Limits": [{"name": "exposure", "value": 0.9}],
        "Panels": [{"panel": "regime", "title": "Regime & trend"}, {"panel": "stress", "title": "Stress"}],
    }


def main(arguments=None):
    """Writes the folder of the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--days", type=int, default=780)
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)
    os.makedirs(options.out, exist_ok=True)
    with open(os.path.join(options.out, "prices.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(bars(random.Random(options.seed).random, options.days))
    write_workbook(os.path.join(options.out, "regimes.xlsx"), workbook())
    print("%d days, and a workbook of %d sheets, in %s" % (options.days, len(workbook()), options.out))


if __name__ == "__main__":
    main()
