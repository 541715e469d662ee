"""Configurations, as a person keeps them."""
import os
import tempfile
import unittest

from backtester_v2.market_regime.errors import ConfigError
from backtester_v2.market_regime.excel_config_parser import SUPPORTED, ExcelConfigParser, number


class TestNumber(unittest.TestCase):
    """What a cell says."""

    def test_thousands_are_set_apart(self):
        self.assertEqual(number("1,234,567"), 1234567.0)

    def test_per_cent_are_hundredths(self):
        self.assertEqual(number(" 12.5% "), 0.125)

    def test_text_stays_text(self):
        self.assertEqual(number("low%"), "low%")


class TestFolder(unittest.TestCase):
    """A folder with a file for each sheet."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def put(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_each_file_is_a_sheet(self):
        self.put("Thresholds.csv", "name,value\nlow_volatility,12%\n")
        self.put("Weights.csv", "measure,weight\nbreadth,0.5\n")
        self.put("notes.txt", "not read")
        sheets = ExcelConfigParser(self.folder).parse()
        self.assertEqual(sorted(sheets), ["Thresholds", "Weights"])
        self.assertEqual(sheets["Thresholds"], [{"name": "low_volatility", "value": 0.12}])

    def test_one_sheet(self):
        self.put("Weights.csv", "measure,weight\nbreadth,0.5\n")
        self.assertEqual(ExcelConfigParser(self.folder).sheet("Weights"), [{"measure": "breadth", "weight": 0.5}])

    def test_a_sheet_that_is_not_there(self):
        self.put("Weights.csv", "measure,weight\n")
        with self.assertRaisesRegex(ConfigError, "Limits"):
            ExcelConfigParser(self.folder).sheet("Limits")

    def test_an_empty_folder_is_refused(self):
        with self.assertRaises(ConfigError):
            ExcelConfigParser(self.folder).parse()

    def test_no_folder_is_refused(self):
        with self.assertRaises(ConfigError):
            ExcelConfigParser(os.path.join(self.folder, "nowhere")).parse()

    def test_csv_is_read(self):
        self.assertIn(".csv", SUPPORTED)
