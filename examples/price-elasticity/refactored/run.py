"""One run of the pipeline: every stage writes what it found into a folder of its own."""
import sys

# Before anything of ours is imported: what is deployed stays as it was deployed.
sys.dont_write_bytecode = True

import argparse

from elasticity.pipeline import load_settings, run
from elasticity.tables import InputError


def main(arguments):
    """Runs with the settings that stand beside this file; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the folder with sales.csv and quotes.csv")
    parser.add_argument("--out", required=True, help="the folder for the results")
    parser.add_argument("--products", help="only these products, with commas between them")
    parser.add_argument("--replicates", type=int, help="how many drawings, instead of those of the settings")
    options = parser.parse_args(arguments)
    settings = load_settings()
    if options.products:
        settings["products"] = options.products.split(",")
    if options.replicates is not None:
        settings["replicates"] = options.replicates
    try:
        folders = run(options.data, options.out, settings)
    except (InputError, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 1
    print("%d stages in %s" % (len(folders), options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
