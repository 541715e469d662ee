"""The strategy: from bars to regimes, signals and exposure."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, List

from .enhanced_modules import trend, volatility
from .errors import DataError
from .regimes import Regime

if TYPE_CHECKING:
    from .bars import Bar

DEFAULT_WINDOW = 14

# What is held in a direction, at low, normal and high volatility.
HELD = {"bearish": (0.0, 0.0, 0.0), "neutral": (0.5, 0.4, 0.25), "bullish": (1.0, 0.75, 0.5)}


@dataclass(frozen=True)
class Analysis:
    """A day, as the screens show it."""

    date: str
    strength: float
    rank: float
    regime: Regime


def confirm(codes, days=1):
    """The same codes, but a new one counts only once it was seen on a number of days."""
    kept = []
    current, seen = None, {}
    for code in codes:
        if current is None:
            current = code
        elif code != current:
            seen[code] = seen.get(code, 0) + 1
            if seen[code] >= days:
                current, seen = code, {}
        kept.append(current)
    return kept


class MarketRegimeStrategy:
    """Turns bars into regimes, and regimes into what to hold."""

    name = "market-regime"

    def __init__(self, config=None, window=DEFAULT_WINDOW, confirm_days=1, limit=1.0):
        if window < 2:
            raise DataError("a window of %d is too short" % window)
        self.config = {} if config is None else config
        self.window = window
        self.confirm_days = confirm_days
        self.limit = limit
        self.listeners = []

    def subscribe(self, listener: Callable[[Analysis], None]):
        """`listener` is told each day that is analysed."""
        self.listeners.append(listener)

    def bounds(self):
        """Below the first strength is bearish, above the second bullish."""
        rows = {row["name"]: row["value"] for row in self.config.get("Thresholds", [])}
        return rows.get("bearish", -0.1), rows.get("bullish", 0.1)

    def analyse(self, bars: List[Bar]) -> List[Analysis]:
        """An analysis for each day from which on all is known."""
        strengths = trend.strengths(bars, self.window)
        ranks = volatility.ranks(bars, self.window)
        agreements = trend.agreements(bars, self.window)
        bounds = self.bounds()
        known = [row for row in zip(bars, strengths, ranks, agreements) if None not in row]
        regimes = [
            Regime(volatility.name_of(rank), trend.name_of(strength, *bounds), "trending" if agreement else "ranging")
            for _, strength, rank, agreement in known
        ]
        kept = confirm([regime.code for regime in regimes])
        by_number = {regime.code: regime for regime in regimes}
        found = [
            Analysis(bar.date, strength, rank, by_number[code])
            for (bar, strength, rank, _), code in zip(known, kept)
        ]
        for analysis in found:
            for listener in self.listeners:
                listener(analysis)
        return found

    def exposure(self, regime: Regime):
        """The share of the money that is held, 0 to 1: less when nothing has a direction, never above the limit."""
        level = {"low": 0, "normal": 1, "high": 2}[regime.volatility]
        held = HELD[regime.direction][level] * (0.8 if regime.structure == "ranging" else 1.0)
        return min(held, self.limit)

    def signals(self, regimes: List[Regime]) -> List[str]:
        """What to do on each day: `more`, `less` or `hold`."""
        found, before = [], 0.0
        for regime in regimes:
            now = self.exposure(regime)
            found.append("more" if now > before else "less" if now < before else "hold")
            before = now
        return found
