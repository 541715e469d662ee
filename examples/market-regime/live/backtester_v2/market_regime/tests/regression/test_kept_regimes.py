"""What earlier versions wrote is still read."""
import os
import pickle
import unittest
import warnings

from ...regimes import REGIMES, Regime
from ...snapshot_store import load

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")


class TestKeptRegimes(unittest.TestCase):
    """Files that name the class by the module in which it stood."""

    def test_a_file_of_version_2(self):
        with warnings.catch_warnings():
            # The module may have moved since, and say so.
            warnings.simplefilter("ignore", DeprecationWarning)
            found = load(os.path.join(FOLDER, "regimes-2.0.pickle"))
        self.assertEqual(found, [REGIMES[0], REGIMES[5]])
        self.assertTrue(all(type(regime) is Regime for regime in found))

    def test_a_new_file_names_the_module_as_it_is(self):
        self.assertIn(Regime.__module__.encode(), pickle.dumps(REGIMES[0], protocol=2))
