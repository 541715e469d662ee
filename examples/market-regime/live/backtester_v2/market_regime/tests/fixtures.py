"""Bars that are the same on every machine."""
import datetime

from ..bars import Bar

# A round of twenty days: up with little noise, down with much.
STEPS = (0.8, 0.6, 0.9, 0.4, -0.2, 0.7, 0.5, 0.9, -0.3, 0.6, -1.4, 0.5, -1.9, -0.7, 0.9, -1.6, -0.4, -1.1, 0.6, -0.8)


def bars(count):
    """As many bars, from the first Monday of 2024 on, Saturdays and Sundays left out."""
    found, close, day = [], 100.0, datetime.date(2024, 1, 1)
    while len(found) < count:
        if day.weekday() < 5:
            step = STEPS[len(found) % len(STEPS)] + (0.1 if len(found) % 7 == 0 else 0.0)
            start, close = close, close + step
            edge = 0.2 + 0.05 * (len(found) % 3)
            found.append(
                Bar(
                    date=day.isoformat(),
                    open=start,
                    high=max(start, close) + edge,
                    low=min(start, close) - edge,
                    close=close,
                    volume=1000.0 + 10.0 * (len(found) % 11),
                    implied_volatility=0.15 - 0.01 * step + 0.002 * (len(found) % 5),
                    call_volume=100.0 + 20.0 * step,
                    put_volume=90.0 - 15.0 * step,
                )
            )
        day += datetime.timedelta(days=1)
    return found
