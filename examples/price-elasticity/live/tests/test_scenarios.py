"""Scenarios: what would be sold."""
import math
import unittest

from stages.bootstrap import NAMES
from stages.scenarios import COLUMNS, cap_elasticity, changed, last_market, predict, replicate_table, simulate
from stages.tables import InputError
from tests import fixtures
from tests.fixtures import quote

MARKET = {"own_cap": 6.0, "own_price": 1.0, "competitor_cap": 5.0, "competitor_price": 1.0, "trend": 2.0}


def coefficients(**effects):
    """The coefficients with these effects; all others are 0."""
    return [effects.get(name, 0.0) for name in NAMES]


class Predicting(unittest.TestCase):
    def test_without_effects_the_intercept_is_left(self):
        self.assertAlmostEqual(predict(coefficients(intercept=1.0), 6.0, 1.0, MARKET), math.e, delta=1e-12)

    def test_a_price_acts_by_its_elasticity(self):
        found = coefficients(log_own_price=-2.0)
        self.assertAlmostEqual(predict(found, 6.0, 2.0, MARKET), 0.25, delta=1e-12)

    def test_a_cap_acts_now_and_later(self):
        found = coefficients(own_cap=0.1, own_cap_lag=0.2)
        ratio = predict(found, 7.0, 1.0, MARKET) / predict(found, 6.0, 1.0, MARKET)
        self.assertAlmostEqual(ratio, math.exp(0.3), delta=1e-12)

    def test_competitors_and_trend_count(self):
        found = coefficients(competitor_cap=-0.1, competitor_cap_lag=-0.1, trend=0.5)
        self.assertAlmostEqual(predict(found, 6.0, 1.0, MARKET), 1.0, delta=1e-12)

    def test_the_season_does_not_count(self):
        found = coefficients(season_sine=9.0, season_cosine=9.0, quarter_end=9.0)
        self.assertEqual(predict(found, 6.0, 1.0, MARKET), 1.0)

    def test_the_elasticity_grows_with_the_cap(self):
        found = coefficients(own_cap=0.1, own_cap_lag=0.05)
        self.assertAlmostEqual(cap_elasticity(found, 6.0), 0.9, delta=1e-12)
        self.assertLess(cap_elasticity(found, 5.0), cap_elasticity(found, 6.0))


class Markets(unittest.TestCase):
    def test_the_last_quote_counts(self):
        quotes = [quote(0), quote(1, own_cap=8.0, first_cap=9.0), quote(2, "beta")]
        features = [{"product": "alpha", "trend": 0.0}, {"product": "alpha", "trend": 0.5}]
        shares = fixtures.settings()["competitors"]
        found = last_market(features, quotes, "alpha", shares)
        self.assertEqual((found["own_cap"], found["own_price"], found["trend"]), (8.0, 1.0, 0.5))
        self.assertAlmostEqual(found["competitor_cap"], 8.0, delta=1e-12)

    def test_caps_change_by_points_and_prices_by_shares(self):
        scenario = {"name": "x", "cap_change": -0.5, "price_change": 0.25}
        self.assertEqual(changed(dict(MARKET, own_price=2.0), scenario), (5.5, 2.5))

    def test_a_scenario_must_leave_a_cap(self):
        with self.assertRaisesRegex(InputError, "`x` leaves no cap"):
            changed(MARKET, {"name": "x", "cap_change": -6.0, "price_change": 0.0})


class Simulating(unittest.TestCase):
    def simulate(self):
        point = coefficients(log_own_price=-1.0, own_cap=0.1, own_cap_lag=0.1)
        estimates = {"alpha": {"point": point, "replicates": [point, coefficients()]}}
        return simulate(estimates, {"alpha": MARKET}, fixtures.settings()["scenarios"])

    def test_each_scenario_has_a_row(self):
        rows, _ = self.simulate()
        self.assertEqual([row["scenario"] for row in rows], ["as_is", "cap_up", "price_up"])
        self.assertEqual(set(rows[0]), set(COLUMNS))

    def test_changes_are_told_against_things_as_they_stand(self):
        rows, _ = self.simulate()
        found = [row["sales_change"] for row in rows]
        for one, expected in zip(found, (0.0, math.exp(0.2) - 1.0, 1.0 / 1.1 - 1.0)):
            self.assertAlmostEqual(one, expected, delta=1e-12)

    def test_each_replicate_is_simulated(self):
        rows, replicates = self.simulate()
        columns, table = replicate_table(replicates)
        self.assertEqual(columns, ["replicate", "alpha_as_is", "alpha_cap_up", "alpha_price_up"])
        self.assertEqual([row["replicate"] for row in table], [0, 1])
        self.assertEqual(table[0]["alpha_cap_up"], rows[1]["sales"])
        self.assertEqual(table[1]["alpha_cap_up"], 1.0)


if __name__ == "__main__":
    unittest.main()
