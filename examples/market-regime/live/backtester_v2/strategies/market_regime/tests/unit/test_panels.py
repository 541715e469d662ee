"""What screens show."""
import unittest

from backtester_v2.strategies.market_regime import Analysis, Regime, transitions
from backtester_v2.strategies.market_regime.ui import panels


class TestPanels(unittest.TestCase):
    """A regime as it is drawn."""

    def setUp(self):
        regime = Regime("high", "bearish", "trending")
        self.days = [Analysis("2024-01-0%d" % day, -0.123456, 0.9, regime) for day in range(1, 6)]

    def test_a_panel(self):
        expected = {
            "date": "2024-01-01",
            "title": "Bearish, trending, high volatility",
            "colour": "red",
            "strength": -0.1235,
        }
        self.assertEqual(panels.panel(self.days[0]), expected)

    def test_the_latest_is_first(self):
        found = panels.history(self.days, 2)
        self.assertEqual([row["date"] for row in found], ["2024-01-05", "2024-01-04"])


class TestTransitions(unittest.TestCase):
    """How one follows another."""

    def test_shares_add_up(self):
        found = transitions.matrix([1, 1, 2, 1, 1, 3])
        self.assertAlmostEqual(found[(1, 1)] + found[(1, 2)] + found[(1, 3)], 1.0)
        self.assertEqual(found[(2, 1)], 1.0)

    def test_one_day_is_no_transition(self):
        self.assertEqual(transitions.matrix([1]), {})
