"""The key figures, each on histories that can be reckoned in the head."""
import unittest
from decimal import Decimal

from pipeline.calculation import (
    aging_buckets,
    alerts,
    loan_status,
    monthly_kpis,
    portfolio_summary,
    segment_kpis,
    segment_monthly,
)
from tests import fixtures
from tests.fixtures import DEFINITIONS, SEGMENTS, history


class SegmentKpis(unittest.TestCase):
    def row(self, *histories, segment="alpha"):
        rows = segment_kpis(list(histories), SEGMENTS, DEFINITIONS)
        self.assertEqual([row["segment"] for row in rows], ["alpha", "beta"])
        return next(row for row in rows if row["segment"] == segment)

    def test_loans_and_balances_add_up(self):
        closed, other = history([("0.00", 0)], "L2"), history([("7.00", 0)], segment="beta")
        row = self.row(history([("100.10", 0)]), closed, other)
        self.assertEqual((row["label"], row["loans"], row["active_loans"]), ("Alpha", 2, 1))
        self.assertEqual(row["originated"], Decimal("600.00"))
        self.assertEqual(row["outstanding_balance"], Decimal("100.10"))

    def test_par_is_a_share_of_the_balance(self):
        balances = [("50.00", 0), ("20.00", 30), ("20.00", 60), ("10.00", 90)]
        row = self.row(*[history([month]) for month in balances])
        self.assertAlmostEqual(row["par30"], 0.5, delta=1e-15)
        self.assertAlmostEqual(row["par60"], 0.3, delta=1e-15)
        self.assertAlmostEqual(row["par90"], 0.1, delta=1e-15)

    def test_par_begins_on_the_day(self):
        row = self.row(history([("1.00", 29)]), history([("1.00", 59)]), history([("2.00", 89)]))
        self.assertEqual((row["par30"], row["par60"], row["par90"]), (0.75, 0.5, 0.0))

    def test_par_looks_at_the_last_month_only(self):
        self.assertEqual(self.row(history([("5.00", 95), ("4.00", 0)]))["par30"], 0.0)

    def test_collection_is_paid_of_due(self):
        row = self.row(history([("5.00", 0)] * 3), history([("5.00", 0)]))
        self.assertAlmostEqual(row["collection_rate"], 0.9, delta=1e-15)

    def test_defaults_count_once_and_for_ever(self):
        row = self.row(
            history([("5.00", 119)]),
            history([("5.00", 120), ("5.00", 0), ("5.00", 130)]),
            history([("5.00", 150), ("0.00", 0)]),
            history([("5.00", 0)]),
        )
        self.assertEqual(row["default_rate"], 0.5)

    def test_a_cure_is_of_a_delinquent_loan(self):
        row = self.row(
            history([("5.00", 29), ("5.00", 0)]),
            history([("5.00", 30), ("5.00", 0)]),
            history([("5.00", 31), ("5.00", 10)]),
            history([("5.00", 0)]),
        )
        self.assertEqual(row["cure_rate"], 0.5)

    def test_a_cure_may_take_its_time(self):
        self.assertEqual(self.row(history([("5.00", 45), ("5.00", 20), ("5.00", 0)]))["cure_rate"], 1.0)

    def test_the_rate_is_weighted_by_the_balance(self):
        cheap = history([("30.00", 0)], annual_rate=Decimal("0.10"))
        dear = history([("10.00", 0)], annual_rate=Decimal("0.30"))
        row = self.row(cheap, dear)
        self.assertAlmostEqual(row["average_rate"], 0.15, delta=1e-15)

    def test_days_past_due_are_those_of_active_loans(self):
        row = self.row(history([("5.00", 10)]), history([("5.00", 5)]), history([("0.00", 0)]))
        self.assertEqual(row["average_days_past_due"], 7.5)

    def test_a_segment_without_loans_has_no_shares(self):
        row = self.row(history([("5.00", 0)]), segment="beta")
        self.assertEqual((row["loans"], row["outstanding_balance"]), (0, 0))
        for column in ("par30", "collection_rate", "default_rate", "cure_rate", "average_rate"):
            self.assertIsNone(row[column], column)

    def test_nobody_delinquent_is_no_cure_rate(self):
        self.assertIsNone(self.row(history([("5.00", 3)]))["cure_rate"])


class MonthlyKpis(unittest.TestCase):
    def test_there_is_one_row_a_month_in_order(self):
        rows = monthly_kpis([history([("5.00", 0)]), history([("5.00", 0)] * 3)], DEFINITIONS)
        self.assertEqual([row["month"] for row in rows], ["2025-01", "2025-02", "2025-03"])

    def test_sums_are_those_of_the_month(self):
        histories = [history([("5.00", 0), ("4.00", 30)]), history([("5.00", 0), ("12.00", 0)])]
        row = monthly_kpis(histories, DEFINITIONS)[1]
        self.assertEqual((row["active_loans"], row["outstanding_balance"]), (2, Decimal("16.00")))
        self.assertEqual((row["scheduled"], row["collected"]), (Decimal("20.00"), Decimal("18.00")))
        self.assertEqual((row["par30"], row["par60"]), (0.25, 0.0))

    def test_a_repaid_loan_is_active_no_more(self):
        rows = monthly_kpis([history([("5.00", 0), ("0.00", 0)])], DEFINITIONS)
        self.assertEqual([row["active_loans"] for row in rows], [1, 0])

    def test_a_default_counts_in_its_first_month(self):
        rows = monthly_kpis([history([("5.00", 90), ("5.00", 121), ("5.00", 151)])], DEFINITIONS)
        self.assertEqual([row["new_defaults"] for row in rows], [0, 1, 0])

    def test_each_cure_counts_in_its_month(self):
        months = [("5.00", 31), ("5.00", 0), ("5.00", 0), ("5.00", 40), ("5.00", 0)]
        rows = monthly_kpis([history(months)], DEFINITIONS)
        self.assertEqual([row["cures"] for row in rows], [0, 1, 0, 0, 1])

    def test_segments_have_rows_of_their_own(self):
        rows = segment_monthly(
            [history([("5.00", 0)] * 2, segment="beta"), history([("6.00", 0)], segment="alpha")], DEFINITIONS
        )
        places = [(row["segment"], row["month"], row["outstanding_balance"]) for row in rows]
        expected = [("alpha", "2025-01", 6), ("beta", "2025-01", 5), ("beta", "2025-02", 5)]
        self.assertEqual(places, expected)


class LoanStatus(unittest.TestCase):
    def check(self, months, status):
        row = loan_status([history(months)], DEFINITIONS)[0]
        self.assertEqual(row["status"], status)
        return row

    def test_every_status(self):
        self.check([("0.00", 0)], "closed")
        self.check([("5.00", 0)], "current")
        self.check([("5.00", 29)], "late")
        self.check([("5.00", 30)], "delinquent")
        self.check([("5.00", 120)], "defaulted")

    def test_interest_alone_can_be_past_due(self):
        self.check([("0.00", 12)], "late")

    def test_what_was_paid_and_cured_adds_up(self):
        row = self.check([("5.00", 130), ("5.00", 0), ("4.00", 0)], "current")
        self.assertEqual(row["paid_to_date"], Decimal("27.00"))
        self.assertEqual((row["ever_defaulted"], row["cures"]), (True, 1))


class AgingBuckets(unittest.TestCase):
    def test_every_bucket_has_a_row(self):
        rows = aging_buckets([history([("5.00", 0)])], DEFINITIONS)
        names = [row["bucket"] for row in rows]
        self.assertEqual(names, ["current", "1-29", "30-59", "60-89", "90-119", "120+"])

    def test_loans_fall_into_one_bucket(self):
        histories = [history([("5.00", days)]) for days in (0, 1, 29, 30, 119, 120, 900)]
        rows = aging_buckets(histories, DEFINITIONS)
        self.assertEqual([row["loans"] for row in rows], [1, 2, 1, 0, 1, 2])
        self.assertAlmostEqual(sum(row["share"] for row in rows), 1.0, delta=1e-12)

    def test_closed_loans_are_in_none(self):
        rows = aging_buckets([history([("5.00", 0)]), history([("0.00", 0)])], DEFINITIONS)
        self.assertEqual(sum(row["loans"] for row in rows), 1)


class Summary(unittest.TestCase):
    def summary(self, *histories):
        quality = {"loans_read": len(histories)}
        return portfolio_summary(list(histories), DEFINITIONS, fixtures.day("2025-01-31"), "USD", quality)

    def alerts(self, value, **limits):
        summary = {"reporting_date": "2025-01-31", "kpis": {"k": value}}
        return alerts(summary, {"k": limits}, {"warning": "w", "critical": "c"})["alerts"]

    def test_it_is_about_all_segments(self):
        summary = self.summary(history([("30.00", 30)]), history([("10.00", 0)], segment="beta"))
        self.assertEqual((summary["loans"], summary["outstanding_balance"]), (2, 40.0))
        self.assertEqual(summary["kpis"]["par30"], 0.75)
        self.assertEqual((summary["reporting_date"], summary["quality"]), ("2025-01-31", {"loans_read": 2}))

    def test_it_counts_by_region_and_currency(self):
        other = history([("4.00", 0)], region="south", currency="EUR")
        summary = self.summary(history([("3.00", 0)]), other)
        self.assertEqual(summary["by_region"]["south"], {"loans": 1, "outstanding_balance": 4.0})
        self.assertEqual(sorted(summary["by_currency"]), ["EUR", "USD"])

    def test_the_worst_limit_is_told(self):
        found = self.alerts(0.7, worse="above", warning=0.1, critical=0.6)
        self.assertEqual([(alert["severity"], alert["channel"]) for alert in found], [("critical", "c")])

    def test_a_value_on_the_limit_is_within(self):
        self.assertEqual(self.alerts(0.1, worse="above", warning=0.1, critical=0.6), [])

    def test_less_can_be_worse(self):
        found = self.alerts(0.8, worse="below", warning=0.9, critical=0.5)
        self.assertEqual([(alert["severity"], alert["limit"]) for alert in found], [("warning", 0.9)])

    def test_what_is_not_known_alerts_nobody(self):
        self.assertEqual(self.alerts(None, worse="above", warning=0.1, critical=0.6), [])


if __name__ == "__main__":
    unittest.main()
