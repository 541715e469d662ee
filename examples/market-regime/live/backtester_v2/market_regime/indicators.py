"""Indicators: what bars say about volatility, direction and structure."""
import math

from ..sessions import SESSIONS_PER_YEAR
from .rolling import deviation, mean, rolling, smoothed


def returns(bars):
    """The logarithmic return of each day; None on the first."""
    later = [math.log(today.close / before.close) for before, today in zip(bars, bars[1:])]
    return [None] + later if bars else []


def true_ranges(bars):
    """How far each day's price went, the gap from the day before included."""
    found = []
    for place, bar in enumerate(bars):
        before = bars[place - 1].close if place else bar.open
        found.append(max(bar.high, before) - min(bar.low, before))
    return found


def average_true_range(bars, window):
    """The mean of the last true ranges."""
    return rolling(true_ranges(bars), window, mean)


def realised_volatility(bars, window):
    """The volatility of the last returns, a year's."""
    year = math.sqrt(SESSIONS_PER_YEAR)
    return rolling(returns(bars), window, lambda part: deviation(part) * year)


def efficiency(bars, window):
    """How straight the way was: 1 is a straight line, 0 is a circle."""
    def straightness(part):
        way = math.fsum(abs(step) for step in part)
        return abs(math.fsum(part)) / way if way else 0.0

    return rolling(returns(bars), window, straightness)


def direction(bars, window):
    """The fast average over the slow one, in true ranges."""
    closes = [bar.close for bar in bars]
    fast, slow = smoothed(closes, max(2, window // 2)), smoothed(closes, window * 2)
    found = []
    for ahead, behind, span in zip(fast, slow, average_true_range(bars, window)):
        found.append(None if span is None else (ahead - behind) / span if span else 0.0)
    return found
