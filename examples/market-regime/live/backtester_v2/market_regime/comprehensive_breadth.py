"""What volume says: how much of it stood behind days that rose."""
import math

from . import indicators


def measure(bars, window):
    """The balance of rising and falling volume of the last days, -1 to 1; None at the beginning."""
    found = []
    changes = indicators.returns(bars)
    for end in range(1, len(bars) + 1):
        if end <= window:
            found.append(None)
            continue
        span = range(end - window, end)
        total = math.fsum(bars[place].volume for place in span)
        rising = math.fsum(bars[place].volume for place in span if changes[place] > 0)
        found.append(2.0 * rising / total - 1.0 if total else 0.0)
    return found
