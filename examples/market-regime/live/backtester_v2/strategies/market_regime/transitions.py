"""How one regime follows another."""


def changes(codes):
    """How often the regime changed.

    >>> changes([1, 1, 2, 2, 1])
    2
    """
    return sum(earlier != later for earlier, later in zip(codes, codes[1:]))


def matrix(codes):
    """The share of days after a regime on which each regime stood, by (regime, next regime)."""
    counts, totals = {}, {}
    for pair in zip(codes, codes[1:]):
        counts[pair] = counts.get(pair, 0) + 1
        totals[pair[0]] = totals.get(pair[0], 0) + 1
    return {pair: count / totals[pair[0]] for pair, count in sorted(counts.items())}
