"""Figures that were right once stay right."""
import unittest

from backtester_v2.strategies.market_regime import MarketRegimeStrategy, matrix

from .. import fixtures


class TestIntegrated(unittest.TestCase):
    """Of the engine behind the screens."""

    def setUp(self):
        self.analyses = MarketRegimeStrategy(window=7).analyse(fixtures.bars(60))

    def test_codes(self):
        codes = [
            6, 12, 12, 18, 6, 14, 14, 8, 14, 8, 14, 8, 14, 2, 1, 6, 12, 12, 6, 12, 6, 18,
            12, 18, 6, 14, 14, 8, 14, 8, 14, 8, 14,
        ]
        self.assertEqual([analysis.regime.code for analysis in self.analyses], codes)

    def test_the_last_day(self):
        self.assertAlmostEqual(self.analyses[-1].strength, -0.4773235304809091, delta=1e-12)
        self.assertAlmostEqual(self.analyses[-1].rank, 0.8888888888888888, delta=1e-12)

    def test_transitions(self):
        found = matrix([analysis.regime.code for analysis in self.analyses])
        self.assertEqual(len(found), 14)
