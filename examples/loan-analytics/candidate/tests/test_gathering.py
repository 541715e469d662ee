"""One pass gathers what single functions find, and adds up to the whole."""
import unittest
from decimal import Decimal

from pipeline import calculation
from tests.fixtures import DEFINITIONS, SEGMENTS, history


class Gathering(unittest.TestCase):
    def setUp(self):
        self.histories = [
            history([("30.00", 0), ("30.00", 31), ("20.00", 0)], "L1"),
            history([("40.00", 10), ("40.00", 125)], "L2", region="south"),
            history([("50.00", 0), ("0.00", 0)], "L3", segment="beta", currency="EUR"),
            history([("60.00", 65)], "L4", segment="beta"),
        ]
        self.gathered = calculation.gather(self.histories, DEFINITIONS)

    def test_one_pass_is_as_good_as_several(self):
        rows = calculation.segment_rows(self.gathered, SEGMENTS)
        self.assertEqual(rows, calculation.segment_kpis(self.histories, SEGMENTS, DEFINITIONS))
        rows = calculation.month_rows(self.gathered)
        self.assertEqual(rows, calculation.monthly_kpis(self.histories, DEFINITIONS))

    def test_segments_add_up_to_the_whole(self):
        rows = calculation.segment_rows(self.gathered, SEGMENTS)
        self.assertEqual(sum(row["loans"] for row in rows), self.gathered.whole.loans)
        balances = [row["outstanding_balance"] for row in rows]
        self.assertEqual(sum(balances), self.gathered.whole.balances.outstanding)
        self.assertEqual(sum(balances), Decimal("120.00"))

    def test_segments_add_up_in_every_month(self):
        rows = calculation.segment_month_rows(self.gathered)
        for whole in calculation.month_rows(self.gathered):
            parts = [row for row in rows if row["month"] == whole["month"]]
            for column in ("active_loans", "outstanding_balance", "collected", "new_defaults", "cures"):
                self.assertEqual(sum(row[column] for row in parts), whole[column], column)

    def test_buckets_add_up_to_the_active_loans(self):
        rows = calculation.aging_rows(self.gathered, DEFINITIONS)
        self.assertEqual(len(rows), 12)
        self.assertEqual(sum(row["loans"] for row in rows), self.gathered.whole.balances.active)

    def test_nothing_gathered_is_nothing_known(self):
        nothing = calculation.gather([], DEFINITIONS)
        rows = calculation.segment_rows(nothing, SEGMENTS)
        self.assertEqual([row["par30"] for row in rows], [None, None])
        self.assertEqual(calculation.month_rows(nothing), [])

    def test_many_small_balances_lose_nothing(self):
        many = [history([("0.10", 0)], annual_rate=Decimal("0.1")) for _ in range(1000)]
        row = calculation.segment_kpis(many, SEGMENTS, DEFINITIONS)[0]
        self.assertEqual(row["outstanding_balance"], Decimal("100.00"))
        self.assertAlmostEqual(row["average_rate"], 0.1, delta=1e-16)


if __name__ == "__main__":
    unittest.main()
