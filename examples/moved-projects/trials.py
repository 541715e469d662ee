"""Tries `switchback move` on public projects, and has others judge what it did.

usage: trials.py FOLDER MOVE_TREE [--mirrors FOLDER] [--only NAME]… TRIAL…

FOLDER     where projects are fetched to and moved; nothing outside of it is written
MOVE_TREE  the program `cargo build --release -p switchback-python --example move_tree` makes
--mirrors  a folder of git repositories, `OWNER+NAME` each, to be used instead of the network
--only     of a trial, only the project of this name
TRIAL      `history`, `suites`, `modules`, `corpus`, or `all`

Ends with exit code 0 when everything that was tried holds, and with 1 when something does not.
"""

import argparse
import sys

import corpus
import history
import modules
import suites
from trees import Refuted, Workplace

TRIALS = {"history": history.trial, "suites": suites.trial, "modules": modules.trial, "corpus": corpus.trial}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("program")
    parser.add_argument("--mirrors")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("trials", nargs="+", choices=[*TRIALS, "all"])
    given = parser.parse_args()
    workplace = Workplace(given.folder, given.program, given.mirrors)
    chosen = list(TRIALS) if "all" in given.trials else given.trials
    for name in chosen:
        print(f"== {name}", flush=True)
        try:
            TRIALS[name](workplace, given.only)
        except Refuted as why:
            workplace.failures.append(f"{name}: {why}")
    for failure in workplace.failures:
        print(f"DOES NOT HOLD: {failure}", flush=True)
    sys.exit(1 if workplace.failures else 0)


if __name__ == "__main__":
    main()
