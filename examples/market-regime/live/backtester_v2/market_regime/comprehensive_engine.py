"""The comprehensive engine: every measure, day by day, and the regime that follows from them."""
from dataclasses import dataclass

import backtester_v2.market_regime.indicators as indicators
from backtester_v2.market_regime import plugins
from backtester_v2.market_regime.classifier import RegimeClassifier, thresholds_of
from backtester_v2.market_regime.regimes import Regime, by_code

from .errors import DataError
from .strategy import confirm


@dataclass(frozen=True)
class Reading:
    """A day, measured and classified."""

    date: str
    close: float
    volatility: float
    direction: float
    efficiency: float
    raw: Regime
    regime: Regime


def weights_of(sheets):
    """How much each measure adds to the direction, by its name."""
    return {row["measure"]: row["weight"] for row in sheets.get("Weights", [])}


class ComprehensiveEngine:
    """Reads bars, in the order of their days."""

    def __init__(self, sheets, window, confirm_days):
        self.classifier = RegimeClassifier(thresholds_of(sheets))
        self.weights = weights_of(sheets)
        self.window = window
        self.confirm_days = confirm_days

    def directions(self, bars):
        """The direction of each day, with what each measure adds."""
        sums = indicators.direction(bars, self.window)
        for name, weight in sorted(self.weights.items()):
            added = plugins.load(name)(bars, self.window)
            sums = [None if old is None or new is None else old + weight * new for old, new in zip(sums, added)]
        return sums

    def run(self, bars):
        """A reading for each day from which on all is known."""
        if len(bars) <= self.window:
            raise DataError("%d days are too few for a window of %d" % (len(bars), self.window))
        measures = zip(
            bars,
            indicators.realised_volatility(bars, self.window),
            self.directions(bars),
            indicators.efficiency(bars, self.window),
        )
        known = [row for row in measures if None not in row[1:]]
        raw = [self.classifier.regime(*row[1:]) for row in known]
        confirmed = confirm([regime.code for regime in raw], self.confirm_days)
        return [
            Reading(bar.date, bar.close, volatility, direction, efficiency, first, by_code(code))
            for (bar, volatility, direction, efficiency), first, code in zip(known, raw, confirmed)
        ]
