import tempfile
import unittest

from planner.simulation import run_multi_year_simulation


class Simulation(unittest.TestCase):
    def run_years(self, first, last, **legacy):
        with tempfile.TemporaryDirectory() as folder:
            return run_multi_year_simulation(first, last, config_path="config/base.json", out=folder, **legacy)

    def test_a_single_year(self):
        self.assertEqual(self.run_years(2025, 2025)["years_completed"], [2025])

    def test_it_grows_as_it_is_told_to(self):
        found = self.run_years(2025, 2027, target_growth_rate=0.1)
        self.assertAlmostEqual(found["total_workforce_growth"], 0.21, places=1)

    def test_years_in_the_wrong_order_are_refused(self):
        with self.assertRaises(SystemExit):
            self.run_years(2027, 2025)
