"""The strategy by itself."""
import unittest
from unittest import mock

from backtester_v2.strategies.market_regime.regimes import by_code
from backtester_v2.strategies.market_regime.strategy import DEFAULT_WINDOW, MarketRegimeStrategy, confirm

from ..fixtures import bars


class TestConfirm(unittest.TestCase):
    """When a new regime counts."""

    def test_nothing_stays_nothing(self):
        self.assertEqual(confirm([], 2), [])

    def test_at_once_unless_told_otherwise(self):
        self.assertEqual(confirm([1, 2, 3, 3]), [1, 2, 3, 3])


class TestStrategy(unittest.TestCase):
    """What it holds."""

    def test_name(self):
        self.assertEqual(MarketRegimeStrategy.name, "market-regime")

    def test_exposure(self):
        strategy = MarketRegimeStrategy(limit=0.6)
        self.assertEqual(strategy.exposure(by_code(6)), 0.6)
        self.assertEqual(strategy.exposure(by_code(18)), 0.5)

    def test_signals(self):
        regimes = [by_code(code) for code in (6, 6, 13)]
        self.assertEqual(MarketRegimeStrategy({}).signals(regimes), ["more", "hold", "less"])

    def test_the_window_of_the_screens(self):
        self.assertEqual(MarketRegimeStrategy().window, DEFAULT_WINDOW)
        self.assertEqual(DEFAULT_WINDOW, 14)

    def test_bounds_come_from_the_workbook(self):
        rows = [{"name": "bearish", "value": -0.5}]
        self.assertEqual(MarketRegimeStrategy({"Thresholds": rows}).bounds(), (-0.5, 0.1))

    def test_listeners_hear_every_day(self):
        heard = []
        strategy = MarketRegimeStrategy(window=5)
        strategy.subscribe(heard.append)
        self.assertEqual(strategy.analyse(bars(60)), heard)

    @mock.patch("backtester_v2.strategies.market_regime.strategy.trend.strengths")
    def test_no_strength_is_no_analysis(self, strengths):
        strengths.return_value = [None] * 60
        self.assertEqual(MarketRegimeStrategy(window=5).analyse(bars(60)), [])
