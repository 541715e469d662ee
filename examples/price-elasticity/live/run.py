"""One run of the pipeline: every stage writes what it found into a folder of its own."""
import sys

# Before anything of ours is imported: what is deployed stays as it was deployed.
sys.dont_write_bytecode = True

import argparse
import json
import os
import pathlib

from stages import bootstrap, export, features, intervals, prepare, scenarios
from stages.tables import InputError, write_document, write_table

SETTINGS = pathlib.Path(__file__).resolve().parent / "settings.json"


def load_settings(path=SETTINGS):
    """The settings of a run."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def run(data, out, settings):
    """One run with these settings; returns the names of the folders that it wrote."""
    sales_path, quotes_path = os.path.join(data, "sales.csv"), os.path.join(data, "quotes.csv")
    folders = []

    def stage(name):
        folders.append(name)
        return os.path.join(out, name)

    folder = stage("01_prepare")
    sales, quotes, quality = prepare.prepare(sales_path, quotes_path, settings)
    providers = [prepare.OWN] + sorted(settings["competitors"])
    write_table(folder, "sales.csv", prepare.SALES_COLUMNS, sales)
    write_table(folder, "quotes.csv", prepare.quote_columns(providers), quotes)
    write_document(folder, "quality.json", quality)

    folder = stage("02_features")
    rows = features.build_features(sales, quotes, settings)
    write_table(folder, "features.csv", features.COLUMNS, rows)

    folder = stage("03_bootstrap")
    estimates = bootstrap.bootstrap(rows, settings)
    write_table(folder, "estimates.csv", bootstrap.COLUMNS, bootstrap.estimate_rows(estimates))
    write_table(folder, "replicates.csv", *bootstrap.replicate_table(estimates))

    folder = stage("04_scenarios")
    markets = {
        product: scenarios.last_market(rows, quotes, product, settings["competitors"]) for product in estimates
    }
    simulated, sales_replicates = scenarios.simulate(estimates, markets, settings["scenarios"])
    write_table(folder, "scenarios.csv", scenarios.COLUMNS, simulated)
    write_table(folder, "replicates.csv", *scenarios.replicate_table(sales_replicates))

    folder = stage("05_intervals")
    between = intervals.build_intervals(estimates, markets, simulated, sales_replicates, settings["level"])
    write_table(folder, "intervals.csv", intervals.COLUMNS, between)

    folder = stage("06_export")
    write_table(folder, "elasticities.csv", export.ELASTICITY_COLUMNS, export.elasticity_rows(between))
    write_table(folder, "demand.csv", export.DEMAND_COLUMNS, export.demand_rows(simulated, between))
    write_document(folder, "summary.json", export.summary(quality, rows, settings))
    return folders


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
