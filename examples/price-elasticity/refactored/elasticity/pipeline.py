"""The stages in their order; every stage writes what it found into a folder of its own."""
import json
import os
import pathlib

from . import bootstrap, export, features, intervals, prepare, scenarios
from .tables import write_document, write_table

SETTINGS = pathlib.Path(__file__).resolve().parent.parent / "settings.json"


def load_settings(path=SETTINGS):
    """The settings of a run."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Pipeline:
    """One run: each stage takes what those before it have left here."""

    def __init__(self, data, settings):
        self.data, self.settings = data, settings

    def prepare(self):
        paths = (os.path.join(self.data, name) for name in ("sales.csv", "quotes.csv"))
        self.sales, self.quotes, self.quality = prepare.prepare(*paths, self.settings)
        providers = [prepare.OWN] + sorted(self.settings["competitors"])
        yield "sales.csv", prepare.SALES_COLUMNS, self.sales
        yield "quotes.csv", prepare.quote_columns(providers), self.quotes
        yield "quality.json", None, self.quality

    def features(self):
        self.rows = features.build_features(self.sales, self.quotes, self.settings)
        yield "features.csv", features.COLUMNS, self.rows

    def bootstrap(self):
        self.estimates = bootstrap.bootstrap(self.rows, self.settings)
        yield "estimates.csv", bootstrap.COLUMNS, bootstrap.estimate_rows(self.estimates)
        yield ("replicates.csv",) + bootstrap.replicate_table(self.estimates)

    def scenarios(self):
        competitors = self.settings["competitors"]
        self.markets = {
            product: scenarios.last_market(self.rows, self.quotes, product, competitors) for product in self.estimates
        }
        simulated = scenarios.simulate(self.estimates, self.markets, self.settings["scenarios"])
        self.simulated, self.sales_replicates = simulated
        yield "scenarios.csv", scenarios.COLUMNS, self.simulated
        yield ("replicates.csv",) + scenarios.replicate_table(self.sales_replicates)

    def intervals(self):
        self.between = intervals.build_intervals(
            self.estimates, self.markets, self.simulated, self.sales_replicates, self.settings["level"]
        )
        yield "intervals.csv", intervals.COLUMNS, self.between

    def export(self):
        yield "elasticities.csv", export.ELASTICITY_COLUMNS, export.elasticity_rows(self.between)
        yield "demand.csv", export.DEMAND_COLUMNS, export.demand_rows(self.simulated, self.between)
        yield "summary.json", None, export.summary(self.quality, self.rows, self.settings)

    def stages(self):
        """The stages in their order."""
        return (self.prepare, self.features, self.bootstrap, self.scenarios, self.intervals, self.export)


def run(data, out, settings):
    """One run with these settings; returns the names of the folders that it wrote."""
    folders = []
    for number, stage in enumerate(Pipeline(data, settings).stages(), 1):
        folders.append("%02d_%s" % (number, stage.__name__))
        for name, columns, content in stage():
            folder = os.path.join(out, folders[-1])
            if columns is None:
                write_document(folder, name, content)
            else:
                write_table(folder, name, columns, content)
    return folders
