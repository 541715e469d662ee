"""The settings that are deployed: what one part names, another part has."""
import unittest

from pipeline import configuration, ingestion
from run import CONFIG


class Settings(unittest.TestCase):
    def setUp(self):
        self.settings = configuration.load(folder=CONFIG)

    def test_every_segment_has_a_label_and_products(self):
        self.assertGreaterEqual(len(self.settings["segments"]), 5)
        for name, segment in self.settings["segments"].items():
            self.assertTrue(segment["label"] and segment["products"], name)

    def test_the_reporting_currency_has_the_rate_one(self):
        currencies = self.settings["currencies"]
        self.assertEqual(float(currencies["rates"][currencies["reporting"]]), 1.0)

    def test_a_critical_limit_is_worse_than_a_warning(self):
        for kpi, limits in self.settings["kpis"]["thresholds"].items():
            grows = limits["critical"] > limits["warning"]
            self.assertEqual(limits["worse"], "above" if grows else "below", kpi)

    def test_every_severity_has_a_channel(self):
        channels = self.settings["integrations"]["notifications"]["channels"]
        self.assertEqual(sorted(channels), ["critical", "warning"])

    def test_aging_bounds_grow(self):
        bounds = self.settings["kpis"]["definitions"]["aging_days"]
        self.assertEqual(bounds, sorted(set(bounds)))
        self.assertIn(self.settings["kpis"]["definitions"]["default_days"], bounds)

    def test_the_reporting_date_is_a_date(self):
        ingestion.parse_date(self.settings["pipelines"]["monthly"]["reporting_date"])

    def test_no_two_exports_have_one_file(self):
        exports = self.settings["integrations"]["exports"]
        files = [table["file"] for table in exports["tables"].values()] + list(exports["documents"].values())
        self.assertEqual(len(files), len(set(files)))


if __name__ == "__main__":
    unittest.main()
