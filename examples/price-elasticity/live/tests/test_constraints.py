"""Constraints: each one of them is shown a result that violates it."""
import contextlib
import csv
import io
import json
import os
import pathlib
import shutil
import unittest

import constraints
from tests import fixtures

DESCRIPTION = json.loads(constraints.CONSTRAINTS.read_text(encoding="utf-8"))
# By constraint: a table, which of its rows are changed, and how.
VIOLATIONS = {
    "own-price-lowers-sales": ("estimates", {"feature": "log_own_price"}, {"coefficient": "0.1"}),
    "own-cap-raises-sales": ("estimates", {"feature": "own_cap_lag"}, {"coefficient": "-0.001"}),
    "competitors-cap-lowers-sales": ("estimates", {"feature": "competitor_cap"}, {"coefficient": "0.5"}),
    "elasticity-grows-with-cap": ("scenarios", {"scenario": "cap_up_100"}, {"cap_elasticity": "0.5"}),
    "sales-grow-with-cap": ("demand", {"scenario": "cap_down_50"}, {"sales": "99.0"}),
    "intervals-contain-the-point": ("intervals", {"quantity": "price_elasticity"}, {"lower": "0.0"}),
    "sales-not-negative": ("sales", {"week": "2021-03-06"}, {"sales": "-0.001"}),
    "demand-not-negative": ("demand", {"scenario": "as_is"}, {"sales_lower": "-1.0"}),
}


class Constraints(unittest.TestCase):
    def setUp(self):
        self.results = pathlib.Path(fixtures.Folder(self).path("results"))
        shutil.copytree(str(fixtures.DATA / "baseline"), str(self.results))

    def change(self, table, which, change):
        """Changes cells of the rows that are as `which` says, and returns how many rows."""
        path = self.results / DESCRIPTION["tables"][table]
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = [row for row in rows if all(row[name] == value for name, value in which.items())]
        for row in found:
            row.update(change)
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return len(found)

    def violated(self):
        return [name for name, _, rows in constraints.check(self.results, DESCRIPTION) if rows]

    def look(self):
        said, failed = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(failed):
            code = constraints.main([str(self.results)])
        return code, said.getvalue(), failed.getvalue()

    def test_the_baseline_satisfies_all(self):
        self.assertEqual(self.violated(), [])
        self.assertEqual(self.look()[0], 0)

    def test_every_constraint_has_a_violation_here(self):
        self.assertEqual([one["name"] for one in DESCRIPTION["constraints"]], list(VIOLATIONS))

    def test_each_violation_is_found_by_its_constraint(self):
        for name, (table, which, change) in VIOLATIONS.items():
            with self.subTest(name):
                self.setUp()
                self.assertGreater(self.change(table, which, change), 0)
                self.assertIn(name, self.violated())

    def test_a_violating_row_is_shown(self):
        self.change("estimates", {"feature": "log_own_price", "product": "meadow"}, {"coefficient": "0.25"})
        code, said, _ = self.look()
        self.assertEqual(code, 1)
        self.assertIn("no: own-price-lowers-sales, 1 of 2 rows", said)
        self.assertIn("product=meadow, feature=log_own_price, coefficient=0.25", said)

    def test_nothing_does_not_satisfy(self):
        self.change("intervals", {"quantity": "cap_elasticity"}, {"upper": ""})
        self.assertEqual(self.violated(), ["intervals-contain-the-point"])

    def test_no_row_to_look_at_is_unknown(self):
        self.change("estimates", {"feature": "log_own_price"}, {"feature": "another"})
        code, _, failed = self.look()
        self.assertEqual(code, 2)
        self.assertIn("own-price-lowers-sales: there is no row", failed)

    def test_a_table_that_is_missing_is_unknown(self):
        os.remove(str(self.results / DESCRIPTION["tables"]["demand"]))
        self.assertEqual(self.look()[0], 2)

    def test_a_column_that_is_missing_is_unknown(self):
        (self.results / DESCRIPTION["tables"]["demand"]).write_text("product\nharvest\n", encoding="utf-8")
        self.assertEqual(self.look()[0], 2)


if __name__ == "__main__":
    unittest.main()
