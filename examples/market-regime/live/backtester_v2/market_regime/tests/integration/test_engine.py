"""The engine with all that it is made of."""
import importlib
import os
import tempfile
import unittest
from unittest import mock

from backtester_v2.market_regime import plugins, snapshot_store
from backtester_v2.market_regime.comprehensive_engine import ComprehensiveEngine, weights_of
from backtester_v2.market_regime.errors import ConfigError, DataError
from backtester_v2.market_regime.regimes import REGIMES

from .. import fixtures

SHEETS = {"Weights": [{"measure": "breadth", "weight": 0.5}, {"measure": "sentiment", "weight": 1.0}]}


class TestEngine(unittest.TestCase):
    """From bars to readings."""

    def test_days_are_read_from_the_window_on(self):
        found = ComprehensiveEngine(SHEETS, 5, 1).run(fixtures.bars(40))
        self.assertEqual(len(found), 35)
        self.assertEqual([reading.raw for reading in found], [reading.regime for reading in found])

    def test_too_few_days_are_refused(self):
        with self.assertRaises(DataError):
            ComprehensiveEngine({}, 20, 1).run(fixtures.bars(20))

    def test_measures_add_to_the_direction(self):
        bars = fixtures.bars(40)
        plain = ComprehensiveEngine({}, 5, 1).directions(bars)
        weighed = ComprehensiveEngine(SHEETS, 5, 1).directions(bars)
        self.assertNotEqual(plain[-1], weighed[-1])

    def test_weights(self):
        self.assertEqual(weights_of(SHEETS), {"breadth": 0.5, "sentiment": 1.0})

    def test_a_confirmation_is_asked_for(self):
        with mock.patch("backtester_v2.market_regime.comprehensive_engine.confirm") as confirm:
            confirm.side_effect = lambda codes, days: [days] * len(codes)
            found = ComprehensiveEngine({}, 5, 7).run(fixtures.bars(10))
        self.assertEqual({reading.regime.code for reading in found}, {7})


class TestPlugins(unittest.TestCase):
    """Measures by name."""

    def test_every_name_is_a_module(self):
        for name in plugins.NAMES:
            module = importlib.import_module(f"backtester_v2.market_regime.comprehensive_{name}")
            self.assertIs(plugins.load(name), module.measure)

    def test_an_unknown_name_is_refused(self):
        with self.assertRaisesRegex(ConfigError, "breadth, sentiment"):
            plugins.load("moon")


class TestStore(unittest.TestCase):
    """Regimes between two runs."""

    def test_what_is_kept_comes_back(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "kept")
            snapshot_store.save(path, REGIMES)
            self.assertEqual(snapshot_store.load(path), list(REGIMES))
            self.assertEqual(os.listdir(folder), ["kept"])
