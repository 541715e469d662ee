"""The package: the old names lead to it, and what is multiplied once is what was multiplied each time."""
import importlib
import random
import unittest

from elasticity.features import FEATURES, RECIPES
from elasticity.ridge import Regression, dot, fit

MODULES = ("tables", "prepare", "features", "ridge", "bootstrap", "scenarios", "intervals", "export")


class OldNames(unittest.TestCase):
    def test_they_are_the_new_ones(self):
        for name in MODULES:
            old, new = importlib.import_module("stages." + name), importlib.import_module("elasticity." + name)
            public = [symbol for symbol in vars(new) if not symbol.startswith("_")]
            self.assertTrue(public)
            for symbol in public:
                self.assertIs(getattr(old, symbol), getattr(new, symbol), "%s.%s" % (name, symbol))


class Drawings(unittest.TestCase):
    def setUp(self):
        chance = random.Random(11).random
        self.rows = [[1.0, chance() - 0.5, 3.0 * chance()] for _ in range(40)]
        self.targets = [chance() for _ in range(40)]
        self.drawn = [int(chance() * 40) for _ in range(40)]

    def test_every_sum_is_added_in_the_order_of_the_drawing(self):
        lines, right = Regression(self.rows, self.targets, 0.0).equations(self.drawn)
        columns = list(zip(*(self.rows[number] for number in self.drawn)))
        targets = [self.targets[number] for number in self.drawn]
        for line, column in zip(lines, columns):
            self.assertEqual(line, [dot(column, other) / 40 for other in columns[: len(line)]])
        self.assertEqual(right, [dot(column, targets) / 40 for column in columns])

    def test_a_drawing_is_fitted_like_rows_of_its_own(self):
        found = Regression(self.rows, self.targets, 0.1).fit(self.drawn)
        rows = [self.rows[number] for number in self.drawn]
        self.assertEqual(found, fit(rows, [self.targets[number] for number in self.drawn], 0.1))

    def test_a_drawing_leaves_no_trace_for_the_next(self):
        regression = Regression(self.rows, self.targets, 0.1)
        first = regression.fit(self.drawn)
        regression.fit(range(10))
        self.assertEqual(regression.fit(self.drawn), first)


class Recipes(unittest.TestCase):
    def test_there_is_one_for_each_feature(self):
        self.assertEqual((tuple(RECIPES), len(set(FEATURES))), (FEATURES, 10))


if __name__ == "__main__":
    unittest.main()
