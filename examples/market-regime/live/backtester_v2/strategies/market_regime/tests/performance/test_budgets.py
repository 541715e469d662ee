"""What may not take longer. The budgets are wide: they are met by far, or something is wrong."""
import os
import tempfile
import time
import unittest

from backtester_v2.strategies.market_regime.excel_config_parser import ExcelConfigParser
from backtester_v2.strategies.market_regime.sheets import write_workbook
from backtester_v2.strategies.market_regime.strategy import MarketRegimeStrategy

from .. import fixtures

ANALYSIS_S = 3.0
CONFIGURATION_S = 5.0


class TestBudgets(unittest.TestCase):
    """For the budgets of a working day."""

    def test_two_years_are_shown(self):
        bars = fixtures.bars(500)
        started = time.perf_counter()
        MarketRegimeStrategy().analyse(bars)
        self.assertLess(time.perf_counter() - started, ANALYSIS_S)

    def test_thirty_one_sheets_are_read(self):
        rows = [{"name": "low", "value": 0.5}] * 200
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "regimes.xlsx")
            write_workbook(path, {"Sheet%d" % number: rows for number in range(31)})
            started = time.perf_counter()
            self.assertEqual(len(ExcelConfigParser(path, strict=False).parse()), 31)
            self.assertLess(time.perf_counter() - started, CONFIGURATION_S)
