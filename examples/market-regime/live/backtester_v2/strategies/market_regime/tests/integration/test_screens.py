"""The screens with both engines."""
import unittest
from unittest import mock

from backtester_v2.strategies.market_regime.integration import ui_endpoints

from .. import fixtures


class TestScreens(unittest.TestCase):
    """What their routes answer."""

    def test_overview(self):
        found = ui_endpoints.overview(fixtures.bars(80))
        self.assertEqual(sorted(found), ["panel", "stress"])
        self.assertEqual(found["panel"]["date"], fixtures.bars(80)[-1].date)

    def test_stress_comes_from_the_comprehensive_engine(self):
        name = "backtester_v2.strategies.market_regime.integration.ui_endpoints.stress_score"
        with mock.patch(name, return_value=0.25) as score:
            self.assertEqual(ui_endpoints.overview(fixtures.bars(80))["stress"], 0.25)
        score.assert_called_once()

    def test_calculator_is_that_of_the_comprehensive_engine(self):
        with mock.patch("backtester_v2.market_regime.calculator.Calculator.total", return_value=0.5):
            self.assertEqual(ui_endpoints.performance(fixtures.bars(80))["total"], 0.5)

    def test_past(self):
        self.assertEqual(len(ui_endpoints.past(fixtures.bars(80), 3)["panels"]), 3)
