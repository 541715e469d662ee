"""The four phases, one after the other, each with its time in the log."""
import logging
import os
import time

from pipeline import calculation, ingestion, output, transformation

LOG = logging.getLogger("pipeline")
# Who calls a phase without a log of its own is not written to.
LOG.addHandler(logging.NullHandler())


def run(data, out, settings):
    """One run with settings as `configuration.load` gives them; returns the names of the files it wrote."""
    started = time.monotonic()

    def passed(phase, *sizes):
        LOG.info("%s: %s, after %.2f s", phase, ", ".join(sizes), time.monotonic() - started)

    loans, payments, quality = ingest(data, settings)
    passed("ingestion", "%d loans" % len(loans), "%d payments" % len(payments))

    currencies = settings["currencies"]
    reporting_date = ingestion.parse_date(settings["pipelines"]["monthly"]["reporting_date"])
    histories = transformation.build_histories(loans, payments, reporting_date, currencies)
    passed("transformation", "%d histories" % len(histories))

    results = calculate(histories, settings, reporting_date, quality)
    passed("calculation", "%d results" % len(results))

    names = output.export(out, results, settings["integrations"]["exports"])
    passed("output", "%d files" % len(names))
    return names


def ingest(data, settings):
    """Loans, payments, and how many lines were read and left out."""
    inputs, schemas = settings["pipelines"]["monthly"]["inputs"], settings["schemas"]
    loans, bad_loans = ingestion.read_loans(
        os.path.join(data, inputs["loans"]), schemas["loans"], settings["segments"], settings["currencies"]
    )
    payments, bad_payments = ingestion.read_payments(
        os.path.join(data, inputs["payments"]), schemas["payments"], loans
    )
    for name, left_out in (("loans", bad_loans), ("payments", bad_payments)):
        for entry in left_out:
            LOG.warning("%s, line %d is left out: %s", inputs[name], entry["line"], entry["reason"])
    quality = {
        "loans_read": len(loans),
        "loans_left_out": len(bad_loans),
        "payments_read": len(payments),
        "payments_left_out": len(bad_payments),
    }
    return loans, payments, quality


def calculate(histories, settings, reporting_date, quality):
    """All results by name."""
    definitions = settings["kpis"]["definitions"]
    channels = settings["integrations"]["notifications"]["channels"]
    gathered = calculation.gather(histories, definitions)
    summary = calculation.summary_document(
        gathered, reporting_date, settings["currencies"]["reporting"], quality
    )
    return {
        "loan_status": gathered.statuses,
        "segment_kpis": calculation.segment_rows(gathered, settings["segments"]),
        "segment_monthly": calculation.segment_month_rows(gathered),
        "monthly_kpis": calculation.month_rows(gathered),
        "aging_buckets": calculation.aging_rows(gathered, definitions),
        "portfolio_summary": summary,
        "alerts": calculation.alerts(summary, settings["kpis"]["thresholds"], channels),
    }
