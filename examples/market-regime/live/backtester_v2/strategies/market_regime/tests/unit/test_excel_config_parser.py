"""Configurations, as a person keeps them."""
import os
import tempfile
import unittest

from backtester_v2.strategies.market_regime.errors import ConfigError
from backtester_v2.strategies.market_regime.excel_config_parser import SUPPORTED, ExcelConfigParser, column_of, number
from backtester_v2.strategies.market_regime.sheets import column_letters, write_workbook


class TestNumber(unittest.TestCase):
    """What a cell says."""

    def test_nothing_is_nothing(self):
        self.assertIsNone(number("  "))

    def test_numbers(self):
        self.assertEqual(number("0.25"), 0.25)
        self.assertEqual(number("1e-3"), 0.001)


class TestWorkbook(unittest.TestCase):
    """An `.xlsx` and its sheets."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "regimes.xlsx")
        self.sheets = {
            "Thresholds": [{"name": "bearish", "value": -0.1}],
            "Panels": [{"panel": "regime", "title": "Regime & <trend>"}],
        }

    def test_what_is_written_is_read(self):
        write_workbook(self.path, self.sheets)
        self.assertEqual(ExcelConfigParser(self.path).parse(), self.sheets)

    def test_the_same_sheets_are_the_same_bytes(self):
        write_workbook(self.path, self.sheets)
        with open(self.path, "rb") as file:
            first = file.read()
        write_workbook(self.path, self.sheets)
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), first)

    def test_sheet_names(self):
        write_workbook(self.path, self.sheets)
        self.assertEqual(ExcelConfigParser(self.path).sheet_names(), ["Thresholds", "Panels"])

    def test_all_findings_are_told(self):
        write_workbook(self.path, {"Panels": [{"panel": "regime", "title": ""}], "Extra": [{"name": "x"}]})
        with self.assertRaisesRegex(ConfigError, "row 2: `title`.*`Extra`.*`Thresholds` is missing"):
            ExcelConfigParser(self.path).parse()

    def test_findings_can_be_let_pass(self):
        write_workbook(self.path, {"Panels": [{"panel": "regime", "title": "Regime"}]})
        self.assertEqual(list(ExcelConfigParser(self.path, strict=False).parse()), ["Panels"])

    def test_what_is_no_workbook_is_refused(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("no zip")
        with self.assertRaises(ConfigError):
            ExcelConfigParser(self.path).parse()

    def test_workbooks_are_read(self):
        self.assertIn(".xlsx", SUPPORTED)

    def test_columns_go_there_and_back(self):
        for place in (0, 25, 26, 51, 52, 701, 702):
            self.assertEqual(column_of(column_letters(place) + "1"), place)
