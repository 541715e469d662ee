"""The strategy: from bars to regimes, signals and exposure."""
from __future__ import annotations

from typing import TYPE_CHECKING, List

from .errors import DataError
from .regimes import Regime

if TYPE_CHECKING:
    from backtester_v2.market_regime.comprehensive_engine import Reading

    from .bars import Bar

DEFAULT_WINDOW = 20

# What is held in a direction, at low, normal and high volatility.
HELD = {"bearish": (0.0, 0.0, 0.0), "neutral": (0.5, 0.4, 0.25), "bullish": (1.0, 0.75, 0.5)}


def confirm(codes, days):
    """The same codes, but a new one counts only once it has stood for a number of days in a row."""
    found = []
    current, candidate, stood = None, None, 0
    for code in codes:
        if current is None or code == current:
            current = code
            candidate, stood = None, 0
        else:
            stood = stood + 1 if code == candidate else 1
            candidate = code
            if stood >= days:
                current, candidate, stood = code, None, 0
        found.append(current)
    return found


class MarketRegimeStrategy:
    """Turns bars into regimes, and regimes into what to hold."""

    name = "market-regime"

    def __init__(self, config, window=DEFAULT_WINDOW, confirm_days=1):
        if window < 2:
            raise DataError("a window of %d is too short" % window)
        self.config = config
        self.window = window
        self.confirm_days = confirm_days

    def classify(self, bars: List[Bar]) -> "List[Reading]":
        """A reading for each day, by every measure that there is."""
        # The engine asks this module for `confirm`.
        from .comprehensive_engine import ComprehensiveEngine

        return ComprehensiveEngine(self.config, self.window, self.confirm_days).run(bars)

    def exposure(self, regime: Regime, stress=0.0):
        """The share of the money that is held, 0 to 1: less when nothing has a direction, less under stress."""
        held = HELD[regime.direction][("low", "normal", "high").index(regime.volatility)]
        if regime.structure == "ranging":
            held *= 0.8
        return held * (1.0 - stress)

    def signals(self, regimes: List[Regime]) -> List[str]:
        """What to do on each day: `more`, `less` or `hold`."""
        found, before = [], 0.0
        for regime in regimes:
            now = self.exposure(regime)
            found.append("more" if now > before else "less" if now < before else "hold")
            before = now
        return found
