"""Features: what a week is explained by."""
import datetime
import math
import unittest

from stages.features import (
    COLUMNS,
    build_features,
    competitor_mean,
    is_quarter_end,
    lagged,
    season,
    years_since,
)
from tests import fixtures
from tests.fixtures import quote, sale, week


class Parts(unittest.TestCase):
    def test_competitors_count_by_their_share(self):
        shares = {"first": 0.75, "second": 0.25}
        self.assertAlmostEqual(competitor_mean(quote(0), "cap", shares), 6.5, delta=1e-12)
        self.assertAlmostEqual(competitor_mean(quote(0), "price", shares), 1.1, delta=1e-12)

    def test_shares_need_not_add_up_to_one(self):
        self.assertAlmostEqual(competitor_mean(quote(0), "cap", {"first": 3, "second": 1}), 6.5, delta=1e-12)

    def test_the_season_comes_back_after_a_year(self):
        now, later = season(datetime.date(2021, 5, 1)), season(datetime.date(2022, 5, 1))
        self.assertEqual(now, later)
        self.assertAlmostEqual(now[0] ** 2 + now[1] ** 2, 1.0, delta=1e-12)

    def test_summer_is_the_other_side_of_winter(self):
        self.assertLess(season(datetime.date(2021, 7, 2))[1], -0.99)
        self.assertGreater(season(datetime.date(2021, 1, 2))[1], 0.99)

    def test_a_quarter_ends_once(self):
        ends = [number for number in range(52) if is_quarter_end(week(number))]
        self.assertEqual([week(number).isoformat() for number in ends], [
            "2021-03-27", "2021-06-26", "2021-09-25", "2021-12-25",
        ])

    def test_years_count_from_the_first_week(self):
        self.assertEqual((years_since(week(3), week(3)), years_since(week(0), week(26))), (0.0, 0.5))

    def test_a_lag_goes_by_the_calendar(self):
        quotes = {("alpha", week(number)): quote(number) for number in (0, 1, 4)}
        self.assertEqual(lagged(quotes, "alpha", week(4), 3)["week"], week(1))
        self.assertEqual(lagged(quotes, "alpha", week(4), 0)["week"], week(4))

    def test_a_lag_into_nothing_is_nothing(self):
        quotes = {("alpha", week(number)): quote(number) for number in (0, 1, 4)}
        self.assertIsNone(lagged(quotes, "alpha", week(4), 2))
        self.assertIsNone(lagged(quotes, "beta", week(4), 0))


class Rows(unittest.TestCase):
    def build(self, sales, quotes, **other):
        return build_features(sales, quotes, fixtures.settings(**other))

    def test_every_column_is_there(self):
        rows = self.build([sale(2)], [quote(number) for number in range(3)])
        self.assertEqual([set(row) for row in rows], [set(COLUMNS)])

    def test_sales_and_prices_are_logarithms(self):
        row = self.build([sale(2, sales=math.e)], [quote(number, own_price=2.0) for number in range(3)])[0]
        self.assertAlmostEqual(row["log_sales"], 1.0, delta=1e-12)
        self.assertAlmostEqual(row["log_own_price"], math.log(2.0), delta=1e-12)
        self.assertAlmostEqual(row["log_competitor_price"], math.log(1.1), delta=1e-12)

    def test_the_own_cap_is_that_of_two_weeks_before(self):
        quotes = [quote(number, own_cap=5.0 + number) for number in range(5)]
        rows = self.build([sale(number) for number in range(5)], quotes)
        self.assertEqual([row["own_cap"] for row in rows], [7.0, 8.0, 9.0])
        self.assertEqual([row["own_cap_lag"] for row in rows], [5.0, 6.0, 7.0])

    def test_the_lag_is_a_setting(self):
        quotes = [quote(number, own_cap=5.0 + number) for number in range(5)]
        rows = self.build([sale(4)], quotes, lag_weeks=3)
        self.assertEqual(rows[0]["own_cap_lag"], 6.0)

    def test_the_competitors_cap_is_their_mean(self):
        row = self.build([sale(2)], [quote(number) for number in range(3)])[0]
        self.assertEqual((row["competitor_cap"], row["competitor_cap_lag"]), (6.5, 6.5))

    def test_a_week_without_a_past_is_left_out(self):
        rows = self.build([sale(number) for number in range(4)], [quote(number) for number in range(4)])
        self.assertEqual([row["week"] for row in rows], [week(2), week(3)])

    def test_products_do_not_mix(self):
        quotes = [quote(number) for number in range(3)]
        quotes += [quote(number, "beta", own_cap=9.0) for number in range(3)]
        rows = self.build([sale(2), sale(2, "beta")], quotes)
        self.assertEqual([(row["product"], row["own_cap_lag"]) for row in rows], [("alpha", 6.0), ("beta", 9.0)])

    def test_the_trend_counts_from_the_first_sale_of_the_product(self):
        quotes = [quote(number) for number in range(5)]
        rows = self.build([sale(2), sale(4)], quotes)
        self.assertEqual([row["trend"] for row in rows], [0.0, 14 / 364])


if __name__ == "__main__":
    unittest.main()
