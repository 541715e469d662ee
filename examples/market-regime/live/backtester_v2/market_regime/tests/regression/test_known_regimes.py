"""Figures that were right once stay right."""
import unittest

from backtester_v2.market_regime.strategy import MarketRegimeStrategy

from .. import fixtures

SHEETS = {"Weights": [{"measure": "breadth", "weight": 0.5}, {"measure": "sentiment", "weight": 1.0}]}


class TestComprehensive(unittest.TestCase):
    """Of the comprehensive engine."""

    def setUp(self):
        self.readings = MarketRegimeStrategy(SHEETS, 10, 2).classify(fixtures.bars(40))

    def test_codes(self):
        codes = [
            6, 6, 6, 6, 9, 9, 9, 9, 8, 8, 8, 8, 8, 9, 9, 9, 9, 6, 6, 6, 6, 6, 6, 9, 9, 9,
            9, 8, 8, 8,
        ]
        self.assertEqual([reading.regime.code for reading in self.readings], codes)

    def test_the_last_day(self):
        last = self.readings[-1]
        self.assertAlmostEqual(last.volatility, 0.1505829173246563, delta=1e-12)
        self.assertAlmostEqual(last.direction, -1.3449003963653987, delta=1e-12)
        self.assertAlmostEqual(last.efficiency, 0.5910104502300902, delta=1e-12)

    def test_exposures(self):
        strategy = MarketRegimeStrategy(SHEETS, 10, 2)
        found = [strategy.exposure(reading.regime, 0.1) for reading in self.readings]
        self.assertAlmostEqual(sum(found), 12.456000000000005, delta=1e-12)
