"""Statistics of the last values of a series."""
import math


def mean(values):
    """The arithmetic mean.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    return math.fsum(values) / len(values)


def deviation(values):
    """The standard deviation of a sample."""
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def rolling(values, window, function):
    """`function` of the last `window` values, for each value; None where there are fewer, or where one is None."""
    found = []
    for end in range(1, len(values) + 1):
        part = values[max(0, end - window):end]
        found.append(None if len(part) < window or None in part else function(part))
    return found


def smoothed(values, window):
    """The exponential average whose weights sum up as those of a window of this length."""
    weight = 2.0 / (window + 1)
    found = []
    for value in values:
        found.append(value if not found else found[-1] + weight * (value - found[-1]))
    return found
