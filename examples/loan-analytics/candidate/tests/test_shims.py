"""The old names: they say that they are deprecated, and are the new ones."""
import importlib
import sys
import unittest
import warnings

from pipeline import calculation, configuration, ingestion, output, transformation


class Shims(unittest.TestCase):
    def old(self, name):
        """Imports an old module anew; checks that it says so once, to whoever imports it."""
        sys.modules.pop(name, None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module = importlib.import_module(name)
        told = [warning for warning in caught if issubclass(warning.category, DeprecationWarning)]
        self.assertEqual(len(told), 1)
        self.assertIn("`%s` is deprecated and goes after 2026-12-31" % name, str(told[0].message))
        return module

    def check_same(self, old, new, *names):
        for name in names:
            self.assertIs(getattr(old, name), getattr(new, name), name)

    def test_ingestion(self):
        old = self.old("python.ingestion")
        self.check_same(old, ingestion, "read_loans", "read_payments", "parse_date", "IngestionError")
        self.assertEqual(old.load_settings(configuration.FOLDER), configuration.load())

    def test_transformation(self):
        self.check_same(
            self.old("python.transformation"), transformation, "build_histories", "build_history", "position"
        )

    def test_kpi_engine(self):
        names = ("loan_status", "segment_kpis", "segment_monthly", "monthly_kpis", "aging_buckets")
        self.check_same(self.old("python.kpi_engine"), calculation, "portfolio_summary", "alerts", *names)

    def test_export(self):
        old = self.old("python.export")
        self.check_same(old, output, "cell", "export", "write_table", "write_document")
        self.assertIs(old.fill, configuration.fill_text)

    def test_new_modules_do_not_use_old_names(self):
        folder = configuration.FOLDER.parent / "pipeline"
        sources = sorted(folder.glob("*.py"))
        self.assertGreaterEqual(len(sources), 7)
        for path in sources:
            text = path.read_text(encoding="utf-8")
            self.assertNotIn("from python", text, path.name)
            self.assertNotIn("import python", text, path.name)


if __name__ == "__main__":
    unittest.main()
