"""Intervals and what is exported from them."""
import unittest

from stages.bootstrap import NAMES
from stages.export import ELASTICITY_COLUMNS, demand_rows, elasticity_rows, summary
from stages.intervals import build_intervals, interval, quantile
from tests import fixtures


class Quantiles(unittest.TestCase):
    def test_the_ends_are_the_extremes(self):
        self.assertEqual((quantile([1.0, 2.0, 9.0], 0.0), quantile([1.0, 2.0, 9.0], 1.0)), (1.0, 9.0))

    def test_between_two_values_it_is_interpolated(self):
        self.assertEqual(quantile([0.0, 10.0], 0.25), 2.5)
        self.assertEqual(quantile([1.0, 2.0, 4.0], 0.75), 3.0)

    def test_one_value_is_every_quantile(self):
        self.assertEqual(quantile([7.0], 0.9), 7.0)


class Intervals(unittest.TestCase):
    def test_as_much_is_left_out_on_both_sides(self):
        found = interval("alpha", "x", 50.0, [float(value) for value in range(100, -1, -1)], 0.9)
        self.assertAlmostEqual(found["lower"], 5.0, delta=1e-9)
        self.assertAlmostEqual(found["upper"], 95.0, delta=1e-9)

    def test_the_replicates_stay_as_they_are(self):
        drawn = [3.0, 1.0, 2.0]
        interval("alpha", "x", 2.0, drawn, 0.5)
        self.assertEqual(drawn, [3.0, 1.0, 2.0])

    def test_a_higher_level_is_wider(self):
        drawn = [value * value / 7.0 for value in range(30)]
        narrow, wide = interval("a", "x", 0.0, drawn, 0.5), interval("a", "x", 0.0, drawn, 0.95)
        self.assertLess(wide["lower"], narrow["lower"])
        self.assertGreater(wide["upper"], narrow["upper"])

    def build(self):
        point = [0.1 * number for number in range(len(NAMES))]
        estimates = {"alpha": {"point": point, "replicates": [point, point]}}
        scenarios = [{"product": "alpha", "scenario": "as_is", "own_cap": 6.0, "own_price": 1.0, "sales": 2.0}]
        markets = {"alpha": {"own_cap": 6.0}}
        return scenarios, build_intervals(estimates, markets, scenarios, {("alpha", "as_is"): [1.0, 3.0]}, 0.9)

    def test_every_quantity_is_there(self):
        _, rows = self.build()
        expected = ["effect_" + name for name in NAMES] + ["price_elasticity", "cap_elasticity", "sales_as_is"]
        self.assertEqual([row["quantity"] for row in rows], expected)

    def test_both_elasticities_are_exported_in_one_row(self):
        rows = elasticity_rows(self.build()[1])
        self.assertEqual([set(row) for row in rows], [set(ELASTICITY_COLUMNS)])
        self.assertAlmostEqual(rows[0]["price_elasticity"], 0.1, delta=1e-12)
        self.assertAlmostEqual(rows[0]["cap_elasticity"], (0.3 + 0.5) * 6.0, delta=1e-12)

    def test_demand_has_the_interval_of_its_sales(self):
        (row,) = demand_rows(*self.build())
        self.assertEqual(row["sales"], 2.0)
        self.assertAlmostEqual(row["sales_lower"], 1.1, delta=1e-12)
        self.assertAlmostEqual(row["sales_upper"], 2.9, delta=1e-12)

    def test_the_summary_counts_the_weeks_of_each_product(self):
        found = summary({"corrected": 1}, [{"product": "alpha"}] * 3, fixtures.settings())
        self.assertEqual(found["weeks_used"], {"alpha": 3, "beta": 0})
        self.assertEqual((found["quality"], found["settings"]["seed"]), ({"corrected": 1}, 1))


if __name__ == "__main__":
    unittest.main()
