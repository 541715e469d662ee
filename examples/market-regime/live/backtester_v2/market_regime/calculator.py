"""What a strategy would have earned."""
import math

from ..sessions import SESSIONS_PER_YEAR
from . import rolling


class Calculator:
    """Holds each day what the regime of the day before says."""

    def __init__(self, exposures, closes):
        if len(exposures) != len(closes):
            raise ValueError("%d exposures for %d closes" % (len(exposures), len(closes)))
        self.exposures = exposures
        self.closes = closes

    def daily(self):
        """The return of each day but the first."""
        changes = [today / before - 1.0 for before, today in zip(self.closes, self.closes[1:])]
        return [held * change for held, change in zip(self.exposures, changes)]

    def total(self):
        """What one became, less one."""
        return math.exp(math.fsum(math.log1p(day) for day in self.daily())) - 1.0

    def sharpe(self):
        """Mean over deviation, a year's; 0 where nothing moved."""
        days = self.daily()
        if len(days) < 2:
            return 0.0
        spread = rolling.deviation(days)
        return rolling.mean(days) / spread * math.sqrt(SESSIONS_PER_YEAR) if spread else 0.0
