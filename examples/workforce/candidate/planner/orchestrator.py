"""Year after year: events, database, checkpoint; at the end the results."""

import contextlib
import os

from .checkpoints import Checkpoints
from .events import Year
from .people import load_census
from .store import Store
from .summary import summarize


class Orchestrator:
    def __init__(self, settings, start, end, out):
        settings.check(start, end)
        self.settings, self.start, self.end, self.out = settings, start, end, out
        self.checkpoints = Checkpoints(os.path.join(out, "checkpoints"))

    def run(self, stop_after=None, resume=False):
        """The summaries of all years; nothing when it stops before the last one."""
        state = self.checkpoints.last() if resume else None
        if state:
            first, headcount = state["year"] + 1, state["headcount_at_start"]
            workforce, registry = state["people"], state["registry"]
        else:
            workforce, registry = load_census(self.settings.census, self.start)
            first, headcount = self.start, len(workforce)
        with contextlib.closing(Store(os.path.join(self.out, "simulation.db"))) as store:
            for year in range(first, self.end + 1):
                growth = (1 + self.settings.target_growth_rate) ** (year - self.start + 1)
                events = Year(self.settings, year, workforce, registry).simulate(round(headcount * growth))
                store.save_year(year, events, workforce, registry, summarize(year, workforce))
                self.checkpoints.save(year, workforce, registry, headcount)
                if year == stop_after:
                    return None
            store.note_run(first, self.end)
            store.write_results(os.path.join(self.out, "results"))
            return store.summaries()
