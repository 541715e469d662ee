"""Trend: how steep the way is, and whether days and weeks agree on it."""
import math

from .. import timeframes
from ..windows import deviation, mean, rolling


def strengths(bars, window):
    """The mean of the last returns over their deviation; None at the beginning."""
    def steepness(part):
        spread = deviation(part)
        return mean(part) / spread if spread else 0.0

    later = [math.log(today.close / before.close) for before, today in zip(bars, bars[1:])]
    return rolling([None] + later if bars else [], window, steepness)


def agreements(bars, window):
    """Whether the price is on the same side of the mean of its days and of its weeks; None at the beginning."""
    days = rolling([bar.close for bar in bars], window, mean)
    weeks = timeframes.weekly_means(bars, max(2, window // 5))
    found = []
    for bar, day, week in zip(bars, days, weeks):
        found.append(None if day is None or week is None else (bar.close > day) == (bar.close > week))
    return found


def name_of(strength, bearish, bullish):
    """The regime of direction."""
    if strength < bearish:
        return "bearish"
    return "bullish" if strength > bullish else "neutral"
