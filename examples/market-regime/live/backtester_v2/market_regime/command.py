"""`regime-report`: the regime of each day of a file, on the terminal.

    python3 -m backtester_v2.market_regime.command data/prices.csv
"""
import argparse
import io
import os
import pkgutil

from ..strategies.market_regime.transitions import changes
from .bars import read_bars
from .excel_config_parser import ExcelConfigParser, rows_of
from .strategy import MarketRegimeStrategy


def default_sheets():
    """The thresholds of the folder `REGIME_DEFAULTS`, or those that come with the package."""
    if os.environ.get("REGIME_DEFAULTS"):
        return ExcelConfigParser(os.environ["REGIME_DEFAULTS"]).parse()
    data = pkgutil.get_data("backtester_v2.market_regime", "defaults/Thresholds.csv")
    return {"Thresholds": rows_of(io.StringIO(data.decode("utf-8")))}


def main(arguments=None):
    """Prints a line for each day, and how often the regime changed."""
    parser = argparse.ArgumentParser(prog="regime-report", description="The regime of each day.")
    parser.add_argument("prices", help="a CSV file of daily bars")
    parser.add_argument("--window", type=int, default=20)
    options = parser.parse_args(arguments)
    readings = MarketRegimeStrategy(default_sheets(), options.window, 3).classify(read_bars(options.prices))
    for reading in readings:
        print("%s  %2d  %s" % (reading.date, reading.regime.code, reading.regime.name))
    print("%d changes" % changes([reading.regime.code for reading in readings]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
