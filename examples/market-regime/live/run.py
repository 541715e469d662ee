"""The nightly run: the regimes of both engines, their exposures, and what shocks would do.

    python3 run.py --out DIR
"""
import argparse
import csv
import json
import os

from backtester_v2 import settings
from backtester_v2.market_regime import stress
from backtester_v2.market_regime.bars import read_bars
from backtester_v2.market_regime.calculator import Calculator
from backtester_v2.strategies.market_regime.transitions import changes, matrix

MEASURED = ("date", "close", "volatility", "direction", "efficiency")
COMPREHENSIVE = MEASURED + ("raw", "code", "regime", "exposure", "signal")
INTEGRATED = ("date", "strength", "rank", "code", "regime", "exposure", "signal")


def write(path, columns, rows):
    """Writes a table; numbers keep all their digits."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def strategy_of(engine):
    """The strategy that the settings name, with its configuration, and that."""
    sheets = settings.named(engine["parser"])(engine["config"]).parse()
    return settings.named(engine["strategy"])(sheets, engine["window"], engine.get("confirm_days", 1)), sheets


def comprehensive(engine, bars, out):
    """The comprehensive engine; returns what its summary says."""
    strategy, _ = strategy_of(engine)
    readings = strategy.classify(bars)
    regimes = [reading.regime for reading in readings]
    exposures = []
    for place, reading in enumerate(readings):
        past = bars[: len(bars) - len(readings) + place + 1]
        exposures.append(strategy.exposure(reading.regime, stress.stress_score(past, strategy.window)))
    rows = []
    for reading, exposure, signal in zip(readings, exposures, strategy.signals(regimes)):
        row = {name: getattr(reading, name) for name in MEASURED}
        row.update(raw=reading.raw.code, code=reading.regime.code, regime=reading.regime.name)
        rows.append(dict(row, exposure=exposure, signal=signal))
    write(os.path.join(out, "01_comprehensive", "regimes.csv"), COMPREHENSIVE, rows)
    shocks = stress.scenarios(bars, strategy)
    write(os.path.join(out, "01_comprehensive", "stress.csv"), ("shock", "regime", "stress", "exposure"), shocks)
    return summary([reading.close for reading in readings], exposures, [row["code"] for row in rows])


def integrated(engine, bars, out):
    """The engine behind the screens; returns what its summary says."""
    strategy, sheets = strategy_of(engine)
    strategy.limit = {row["name"]: row["value"] for row in sheets["Limits"]}["exposure"]
    analyses = strategy.analyse(bars)
    regimes = [analysis.regime for analysis in analyses]
    exposures = [strategy.exposure(regime) for regime in regimes]
    rows = [
        {
            "date": analysis.date,
            "strength": analysis.strength,
            "rank": analysis.rank,
            "code": analysis.regime.code,
            "regime": analysis.regime.name,
            "exposure": exposure,
            "signal": signal,
        }
        for analysis, exposure, signal in zip(analyses, exposures, strategy.signals(regimes))
    ]
    write(os.path.join(out, "02_integrated", "regimes.csv"), INTEGRATED, rows)
    codes = [row["code"] for row in rows]
    shares = [{"code": code, "next": after, "share": share} for (code, after), share in matrix(codes).items()]
    write(os.path.join(out, "02_integrated", "transitions.csv"), ("code", "next", "share"), shares)
    closes = {bar.date: bar.close for bar in bars}
    return summary([closes[analysis.date] for analysis in analyses], exposures, codes)


def summary(closes, exposures, codes):
    """What is said of a series of regimes."""
    calculator = Calculator(exposures, closes)
    return {
        "days": len(codes),
        "regimes": len(set(codes)),
        "changes": changes(codes),
        "total": calculator.total(),
        "sharpe": calculator.sharpe(),
    }


def run(out, path="config/market_regime.yaml"):
    """The whole run; returns its summary."""
    chosen = settings.load(path)
    for name in chosen["preload"]:
        settings.named(name)
    bars = read_bars(chosen["prices"])
    engines = chosen["engines"]
    found = {
        "comprehensive": comprehensive(engines["comprehensive"], bars, out),
        "integrated": integrated(engines["integrated"], bars, out),
    }
    os.makedirs(os.path.join(out, "03_summary"), exist_ok=True)
    with open(os.path.join(out, "03_summary", "summary.json"), "w", encoding="utf-8") as file:
        json.dump(found, file, indent=2, sort_keys=True)
        file.write("\n")
    return found


def main(arguments=None):
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Writes the regimes of both engines.")
    parser.add_argument("--out", required=True, help="the folder of the results")
    parser.add_argument("--config", default="config/market_regime.yaml", help="the settings")
    options = parser.parse_args(arguments)
    run(options.out, options.config)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
