"""What may not take longer. The budgets are wide: they are met by far, or something is wrong."""
import os
import tempfile
import time
import unittest

from backtester_v2.market_regime.excel_config_parser import ExcelConfigParser
from backtester_v2.market_regime.strategy import MarketRegimeStrategy

from .. import fixtures

ANALYSIS_S = 3.0
CONFIGURATION_S = 5.0


class TestBudgets(unittest.TestCase):
    """For the budgets of a working day."""

    def test_two_years_are_analysed(self):
        bars = fixtures.bars(500)
        started = time.perf_counter()
        MarketRegimeStrategy({}, 20, 3).classify(bars)
        self.assertLess(time.perf_counter() - started, ANALYSIS_S)

    def test_thirty_sheets_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(30):
                with open(os.path.join(folder, "Sheet%d.csv" % number), "w", encoding="utf-8") as file:
                    file.write("name,value\n" + "low,12%\n" * 200)
            started = time.perf_counter()
            self.assertEqual(len(ExcelConfigParser(folder).parse()), 30)
            self.assertLess(time.perf_counter() - started, CONFIGURATION_S)
