"""Estimates: what is drawn, what is found again, and what stays the same for the same seed."""
import random
import unittest

from stages.bootstrap import (
    COLUMNS,
    NAMES,
    bootstrap,
    draw_blocks,
    estimate_rows,
    replicate_table,
    standardize,
    unscale,
)
from stages.features import FEATURES
from stages.tables import InputError
from tests import fixtures


class Drawing(unittest.TestCase):
    def test_as_many_are_drawn_as_there_are(self):
        for count, length in ((10, 3), (12, 4), (5, 5)):
            drawn = draw_blocks(random.Random(1).random, count, length)
            self.assertEqual(len(drawn), count)
            self.assertTrue(set(drawn) <= set(range(count)))

    def test_neighbours_stay_together(self):
        drawn = draw_blocks(random.Random(1).random, 40, 8)
        for start in range(0, 40, 8):
            block = drawn[start : start + 8]
            self.assertEqual(block, list(range(block[0], block[0] + 8)))

    def test_the_first_and_the_last_week_can_be_drawn(self):
        self.assertEqual(draw_blocks(lambda: 0.0, 6, 3), [0, 1, 2, 0, 1, 2])
        self.assertEqual(draw_blocks(lambda: 0.999999, 6, 3), [3, 4, 5, 3, 4, 5])


class Scaling(unittest.TestCase):
    def test_features_have_mean_0_and_deviation_1(self):
        rows, _ = standardize(fixtures.features(20, FEATURES, products=("alpha",)))
        for number in range(1, len(NAMES)):
            column = [row[number] for row in rows]
            self.assertAlmostEqual(sum(column), 0.0, delta=1e-10)
            self.assertAlmostEqual(sum(value * value for value in column), 20.0, delta=1e-10)

    def test_a_feature_that_never_changes_divides_by_nothing(self):
        rows = [dict.fromkeys(FEATURES, 3.0) for _ in range(4)]
        standardized, scales = standardize(rows)
        self.assertEqual(standardized, [[1.0] + [0.0] * len(FEATURES)] * 4)
        self.assertEqual(scales, [(3.0, 1.0)] * len(FEATURES))

    def test_coefficients_come_back_to_their_units(self):
        # y = 10 + 4 (x - 3) / 2 = 4 + 2 x
        self.assertEqual(unscale([10.0, 4.0], [(3.0, 2.0)]), [4.0, 2.0])


class Estimating(unittest.TestCase):
    def estimates(self, noise=0.0, count=60, **other):
        return bootstrap(fixtures.features(count, FEATURES, noise), fixtures.settings(**other))

    def test_the_effects_are_found_again(self):
        point = dict(zip(NAMES, self.estimates(penalty=1e-9)["alpha"]["point"]))
        self.assertAlmostEqual(point["intercept"], fixtures.INTERCEPT, delta=1e-6)
        for name in FEATURES:
            self.assertAlmostEqual(point[name], fixtures.TRUTH.get(name, 0.0), delta=1e-6)

    def test_the_same_seed_gives_the_same(self):
        self.assertEqual(self.estimates(noise=0.1), self.estimates(noise=0.1))

    def test_another_seed_draws_others_and_changes_no_point(self):
        one, other = self.estimates(noise=0.1), self.estimates(noise=0.1, seed=2)
        self.assertEqual(one["alpha"]["point"], other["alpha"]["point"])
        self.assertNotEqual(one["alpha"]["replicates"], other["alpha"]["replicates"])

    def test_another_product_changes_nothing(self):
        both, one = self.estimates(noise=0.1), self.estimates(noise=0.1, products=["beta"])
        self.assertEqual(both["beta"], one["beta"])

    def test_more_noise_is_more_variation(self):
        def deviation(noise):
            rows = estimate_rows(self.estimates(noise=noise, replicates=30))
            return [row["standard_deviation"] for row in rows if row["feature"] == "own_cap"][0]

        self.assertGreater(deviation(0.4), 5.0 * deviation(0.02))

    def test_too_few_weeks_are_an_error(self):
        with self.assertRaisesRegex(InputError, "`alpha` has 11 weeks"):
            self.estimates(count=11)


class Tables(unittest.TestCase):
    ESTIMATES = {
        "alpha": {"point": [1.0] * len(NAMES), "replicates": [[0.0] * len(NAMES), [4.0] * len(NAMES)]},
        "beta": {"point": [2.0] * len(NAMES), "replicates": [[5.0] * len(NAMES), [5.0] * len(NAMES)]},
    }

    def test_each_product_and_feature_has_a_row(self):
        rows = estimate_rows(self.ESTIMATES)
        self.assertEqual(len(rows), 2 * len(NAMES))
        self.assertEqual([rows[0][name] for name in COLUMNS], ["alpha", "intercept", 1.0, 2.0, 2.0])
        self.assertEqual([rows[-1][name] for name in COLUMNS], ["beta", "trend", 2.0, 5.0, 0.0])

    def test_each_statistic_has_a_column(self):
        columns, rows = replicate_table(self.ESTIMATES)
        self.assertEqual(len(columns), 1 + 2 * len(NAMES))
        self.assertEqual([row["replicate"] for row in rows], [0, 1])
        self.assertEqual([row["alpha_own_cap"] for row in rows], [0.0, 4.0])
        self.assertEqual([row["beta_own_cap"] for row in rows], [5.0, 5.0])


if __name__ == "__main__":
    unittest.main()
