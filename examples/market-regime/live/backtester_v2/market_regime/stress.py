"""Stress: how deep the price fell, and what would happen if it fell further."""
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Dict, List

from .errors import DataError

if TYPE_CHECKING:
    from ..market_regime.bars import Bar
    from .strategy import MarketRegimeStrategy

SHOCKS = (-0.02, -0.05, -0.1)
# A fall of this share is all the stress there is.
WORST = 0.25


def drawdown(bars: List[Bar], window: int) -> float:
    """How far the last close is below the highest of the last days, as a share."""
    if not bars:
        raise DataError("there are no days")
    return 1.0 - bars[-1].close / max(bar.close for bar in bars[-window:])


def stress_score(bars: List[Bar], window: int) -> float:
    """0 at the highest close of the window, 1 at a fall of `WORST` and below."""
    return min(1.0, drawdown(bars, window) / WORST)


def shocked(bars: List[Bar], shock: float) -> List[Bar]:
    """The same bars, with a last one that fell by a share."""
    last = bars[-1]
    close = last.close * (1.0 + shock)
    return bars[:-1] + [dataclasses.replace(last, close=close, low=min(last.low, close), high=max(last.high, close))]


def scenarios(bars: List[Bar], strategy: "MarketRegimeStrategy") -> List[Dict]:
    """The regime and the exposure of the last day under each shock."""
    rows = []
    for shock in SHOCKS:
        changed = shocked(bars, shock)
        regime = strategy.classify(changed)[-1].raw
        stress = stress_score(changed, strategy.window)
        exposure = strategy.exposure(regime, stress)
        rows.append({"shock": shock, "regime": regime.name, "stress": stress, "exposure": exposure})
    return rows
