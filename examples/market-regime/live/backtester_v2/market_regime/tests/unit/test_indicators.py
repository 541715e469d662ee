"""Indicators and measures."""
import unittest

from backtester_v2.market_regime import indicators, rolling
from backtester_v2.market_regime.stress import drawdown, shocked, stress_score

from .. import fixtures


class TestRolling(unittest.TestCase):
    """Windows."""

    def test_too_few_are_none(self):
        self.assertEqual(rolling.rolling([1.0, 2.0, 3.0], 2, rolling.mean), [None, 1.5, 2.5])

    def test_deviation(self):
        self.assertAlmostEqual(rolling.deviation([2.0, 4.0, 4.0, 6.0]), (8.0 / 3.0) ** 0.5)

    def test_smoothed_stays_with_what_is_constant(self):
        self.assertEqual(rolling.smoothed([3.0] * 5, 4), [3.0] * 5)


class TestIndicators(unittest.TestCase):
    """Of bars."""

    def test_no_bars_no_returns(self):
        self.assertEqual(indicators.returns([]), [])

    def test_volatility_is_known_after_the_window(self):
        found = indicators.realised_volatility(fixtures.bars(12), 5)
        self.assertEqual([value is None for value in found], [True] * 5 + [False] * 7)

    def test_efficiency_is_a_share(self):
        found = [value for value in indicators.efficiency(fixtures.bars(60), 5) if value is not None]
        self.assertTrue(all(0.0 <= value <= 1.0 for value in found))


class TestStress(unittest.TestCase):
    """Falls."""

    def test_no_fall_no_stress(self):
        self.assertEqual(stress_score(fixtures.bars(1), 5), 0.0)

    def test_a_fall_is_measured_from_the_highest_close(self):
        self.assertAlmostEqual(drawdown(shocked(fixtures.bars(1), -0.1), 5), 0.0)
        bars = fixtures.bars(4)
        self.assertAlmostEqual(drawdown(bars[:3] + shocked(bars, -0.1)[3:], 5), 1 - bars[3].close * 0.9 / bars[2].close)

    def test_a_quarter_is_the_worst(self):
        bars = fixtures.bars(4)
        self.assertEqual(stress_score(shocked(bars, -0.5), 5), 1.0)
