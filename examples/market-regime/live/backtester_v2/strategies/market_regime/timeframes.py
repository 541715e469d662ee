"""Weeks out of days."""
from ...sessions import week
from .windows import mean


def closes_of_weeks(bars):
    """The last close of each week, by its name, in order."""
    found = {}
    for bar in bars:
        found[week(bar.date)] = bar.close
    return found


def weekly_means(bars, weeks):
    """For each day the mean of the closes of the weeks that were over before it; None where there are too few."""
    found, finished = [], []
    for place, bar in enumerate(bars):
        if place and week(bars[place - 1].date) != week(bar.date):
            finished.append(bars[place - 1].close)
        found.append(mean(finished[-weeks:]) if len(finished) >= weeks else None)
    return found
