"""The eighteen regimes and how days come to them."""
import unittest

from ... import classifier, regimes
from ...errors import ConfigError


class TestRegimes(unittest.TestCase):
    """Numbers and names."""

    def test_codes_are_their_places(self):
        self.assertEqual([regime.code for regime in regimes.REGIMES], list(range(1, 19)))

    def test_names_come_back(self):
        for regime in regimes.REGIMES:
            self.assertIs(regimes.parse(regime.name), regime)

    def test_codes_come_back(self):
        for regime in regimes.REGIMES:
            self.assertIs(regimes.by_code(regime.code), regime)

    def test_an_unknown_code_is_refused(self):
        for code in (0, 19, -1):
            with self.assertRaises(ConfigError):
                regimes.by_code(code)

    def test_two_are_extreme(self):
        self.assertEqual(sum(regime.is_extreme() for regime in regimes.REGIMES), 2)


class TestClassifier(unittest.TestCase):
    """Measures become regimes."""

    def test_the_middle_is_normal_and_neutral(self):
        found = classifier.RegimeClassifier().regime(0.15, 0.0, 0.0)
        self.assertEqual(found.name, "normal-neutral-ranging")

    def test_edges(self):
        found = classifier.RegimeClassifier()
        self.assertEqual(found.volatility(0.12), "normal")
        self.assertEqual(found.direction(0.6), "neutral")
        self.assertEqual(found.structure(0.3), "trending")

    def test_thresholds_come_from_their_sheet(self):
        sheets = {"Thresholds": [{"name": "trending", "value": 0.5}]}
        self.assertEqual(classifier.thresholds_of(sheets).trending, 0.5)

    def test_an_unknown_threshold_is_refused(self):
        with self.assertRaisesRegex(ConfigError, "sideways"):
            classifier.thresholds_of({"Thresholds": [{"name": "sideways", "value": 0.5}]})

    def test_thresholds_in_the_wrong_order_are_refused(self):
        with self.assertRaises(ConfigError):
            classifier.Thresholds(low_volatility=0.3)
