"""A report that other people wrote, years ago. It calls the simulation as it always did."""

import json
import sys
import tempfile

from planner.simulation import run_multi_year_simulation

with tempfile.TemporaryDirectory() as folder:
    found = run_multi_year_simulation(2025, 2026, config_path="config/base.json", out=folder, target_growth_rate=0.05)
with open(f"{sys.argv[1]}/report.json", "w") as file:
    json.dump(found, file, indent=2)
