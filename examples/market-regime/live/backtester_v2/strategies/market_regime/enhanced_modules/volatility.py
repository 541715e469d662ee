"""Volatility: where that of today's options stands among those of the last days."""
from backtester_v2.strategies.market_regime.windows import rolling

# The rank is taken among this many windows.
LENGTH = 4


def ranks(bars, window):
    """The share of the last days whose implied volatility was below today's; None at the beginning."""
    def rank(part):
        return sum(value < part[-1] for value in part[:-1]) / (len(part) - 1)

    return rolling([bar.implied_volatility for bar in bars], window * LENGTH, rank)


def name_of(rank):
    """The regime of volatility."""
    if rank < 1.0 / 3.0:
        return "low"
    return "high" if rank > 2.0 / 3.0 else "normal"
