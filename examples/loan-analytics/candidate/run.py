"""The monthly run: reads a loan tape, and writes the key figures of the portfolio."""
import sys

# Before anything of ours is imported: what is deployed stays as it was deployed.
sys.dont_write_bytecode = True

import argparse
import logging

from pipeline import configuration, ingestion, orchestrator
from pipeline.orchestrator import run

CONFIG = configuration.FOLDER


def main(arguments):
    """Runs with the settings of the environment; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the folder with loans.csv and payments.csv")
    parser.add_argument("--out", help="the folder for the results")
    parser.add_argument("--environment", help="instead of the one that PIPELINE_ENV names")
    options = parser.parse_args(arguments)
    try:
        settings = configuration.load(options.environment)
        logging.basicConfig(level=settings["logging"]["level"], format="%(levelname)s %(message)s")
        out = options.out or settings["integrations"]["exports"]["directory"]
        names = run(options.data, out, settings)
    except (configuration.ConfigurationError, ingestion.IngestionError, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 1
    print("%d files in %s" % (len(names), out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
