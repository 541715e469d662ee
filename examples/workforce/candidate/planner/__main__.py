"""The command line: python3 -m planner --config config/base.json --start 2025 --end 2027 --out DIR"""

import argparse
import sys

from .orchestrator import Orchestrator
from .settings import Refused, Settings


def main():
    parser = argparse.ArgumentParser(prog="planner")
    parser.add_argument("--config", required=True)
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--end", type=int, required=True)
    parser.add_argument("--growth", type=float)
    parser.add_argument("--out", required=True)
    parser.add_argument("--stop-after", type=int)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    try:
        settings = Settings.load(options.config, options.growth)
        orchestrator = Orchestrator(settings, options.start, options.end, options.out)
        orchestrator.run(options.stop_after, options.resume)
    except Refused as refused:
        sys.exit(f"error: {refused}")


if __name__ == "__main__":
    main()
