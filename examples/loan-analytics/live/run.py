"""The monthly run: reads a loan tape, and writes the key figures of the portfolio."""
import sys

# Before anything of ours is imported: what is deployed stays as it was deployed.
sys.dont_write_bytecode = True

import argparse
import datetime
import os
import pathlib

from python import export, ingestion, kpi_engine, transformation

CONFIG = pathlib.Path(__file__).resolve().parent / "config"


def run(data, out, settings):
    """One run with settings as `ingestion.load_settings` gives them; returns the names of its files."""
    pipeline = settings["pipelines"]["monthly"]
    schemas = settings["schemas"]
    definitions = settings["kpis"]["definitions"]
    currencies = settings["currencies"]
    reporting_date = ingestion.parse_date(pipeline["reporting_date"])

    loans_path = os.path.join(data, pipeline["inputs"]["loans"])
    payments_path = os.path.join(data, pipeline["inputs"]["payments"])
    segments = settings["segments"]
    loans, bad_loans = ingestion.read_loans(loans_path, schemas["loans"], segments, currencies)
    payments, bad_payments = ingestion.read_payments(payments_path, schemas["payments"], loans)
    quality = {
        "loans_read": len(loans),
        "loans_left_out": len(bad_loans),
        "payments_read": len(payments),
        "payments_left_out": len(bad_payments),
    }

    histories = transformation.build_histories(loans, payments, reporting_date, currencies)
    summary = kpi_engine.portfolio_summary(
        histories, definitions, reporting_date, currencies["reporting"], quality
    )
    results = {
        "loan_status": kpi_engine.loan_status(histories, definitions),
        "segment_kpis": kpi_engine.segment_kpis(histories, segments, definitions),
        "segment_monthly": kpi_engine.segment_monthly(histories, definitions),
        "monthly_kpis": kpi_engine.monthly_kpis(histories, definitions),
        "aging_buckets": kpi_engine.aging_buckets(histories, definitions),
        "portfolio_summary": summary,
        "alerts": kpi_engine.alerts(
            summary, settings["kpis"]["thresholds"], settings["integrations"]["notifications"]["channels"]
        ),
    }
    return export.export(out, results, settings["integrations"]["exports"])


def main(arguments):
    """Runs with the settings that stand beside this file; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the folder with loans.csv and payments.csv")
    parser.add_argument("--out", help="the folder for the results")
    options = parser.parse_args(arguments)
    settings = ingestion.load_settings(CONFIG)
    out = options.out or export.fill(settings["integrations"]["exports"]["directory"], os.environ)
    try:
        names = run(options.data, out, settings)
    except (ingestion.IngestionError, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 1
    print("%d files in %s" % (len(names), out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
