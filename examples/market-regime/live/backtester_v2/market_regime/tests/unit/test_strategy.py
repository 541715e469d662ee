"""The strategy by itself."""
import unittest
from unittest import mock

from backtester_v2.market_regime.regimes import REGIMES, by_code, parse
from backtester_v2.market_regime.strategy import MarketRegimeStrategy, confirm

from ...errors import DataError


class TestConfirm(unittest.TestCase):
    """When a new regime counts."""

    def test_nothing_stays_nothing(self):
        self.assertEqual(confirm([], 2), [])

    def test_two_days_are_waited_for(self):
        self.assertEqual(confirm([1, 2, 2, 2, 1, 1], 2), [1, 1, 2, 2, 2, 1])

    def test_a_single_day_is_no_regime(self):
        self.assertEqual(confirm([4, 4, 9, 4, 4], 3), [4, 4, 4, 4, 4])


class TestStrategy(unittest.TestCase):
    """What it holds."""

    def test_name(self):
        self.assertEqual(MarketRegimeStrategy.name, "market-regime")

    def test_exposure(self):
        strategy = MarketRegimeStrategy({})
        self.assertEqual(strategy.exposure(parse("low-bullish-trending")), 1.0)
        self.assertEqual(strategy.exposure(parse("high-bearish-ranging")), 0.0)
        self.assertAlmostEqual(strategy.exposure(parse("low-neutral-ranging")), 0.4)

    def test_stress_lowers_exposure(self):
        strategy = MarketRegimeStrategy({})
        self.assertEqual(strategy.exposure(parse("low-bullish-trending"), 0.25), 0.75)
        self.assertEqual(strategy.exposure(parse("low-bullish-trending"), 1.0), 0.0)

    def test_exposure_is_a_share(self):
        strategy = MarketRegimeStrategy({})
        for regime in REGIMES:
            with self.subTest(regime.name):
                self.assertTrue(0.0 <= strategy.exposure(regime) <= 1.0)

    def test_signals(self):
        regimes = [by_code(code) for code in (6, 6, 13)]
        self.assertEqual(MarketRegimeStrategy({}).signals(regimes), ["more", "hold", "less"])

    def test_a_window_of_one_is_refused(self):
        with self.assertRaises(DataError):
            MarketRegimeStrategy({}, 1)

    @mock.patch("backtester_v2.market_regime.comprehensive_engine.ComprehensiveEngine.run")
    def test_classify_asks_the_engine(self, run):
        run.return_value = ["reading"]
        self.assertEqual(MarketRegimeStrategy({}, 5).classify(["bar"]), ["reading"])
        run.assert_called_once_with(["bar"])
