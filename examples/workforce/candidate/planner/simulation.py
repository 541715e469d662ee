"""What other programs called before there were modules, and still may."""

import sys

from .orchestrator import Orchestrator
from .settings import Refused, Settings


def run_multi_year_simulation(start_year, end_year, config_path=None, out=".", **legacy):
    """What other programs call. `legacy` may hold `target_growth_rate`."""
    try:
        settings = Settings.load(config_path or "config/base.json", legacy.get("target_growth_rate"))
        summaries = Orchestrator(settings, start_year, end_year, out).run()
    except Refused as refused:
        sys.exit(f"error: {refused}")
    first, last = summaries[0], summaries[-1]
    return {
        "years_completed": list(range(start_year, end_year + 1)),
        "total_workforce_growth": last[1] / first[1] - 1,
        "final_workforce_size": last[1],
        "participation_rate": last[3],
    }
