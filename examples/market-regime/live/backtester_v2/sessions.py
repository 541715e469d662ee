"""Trading sessions: how many there are in a year, and in which week a day lies."""
import datetime

SESSIONS_PER_YEAR = 252


def week(day):
    """The ISO year and week of a day, as text that sorts.

    >>> week("2024-12-30")
    '2025-W01'
    """
    year, number, _ = datetime.date.fromisoformat(day).isocalendar()
    return "%04d-W%02d" % (year, number)
