"""From installments to months: what settles what, what is past due, what it is in the reporting currency."""
import unittest
from decimal import Decimal

from pipeline.transformation import build_histories, build_history, month_ends, position, to_reporting
from tests import fixtures

DUE = fixtures.installments([("0.00", None)] * 3)


class Months(unittest.TestCase):
    def test_months_end_across_years(self):
        ends = month_ends(fixtures.day("2023-12-31"), fixtures.day("2024-02-01"))
        self.assertEqual([end.isoformat() for end in ends], ["2023-12-31", "2024-01-31", "2024-02-29"])

    def test_one_month_has_one_end(self):
        self.assertEqual(len(month_ends(fixtures.day("2025-04-01"), fixtures.day("2025-04-30"))), 1)


class Currency(unittest.TestCase):
    def test_the_reporting_currency_stays(self):
        self.assertEqual(to_reporting(Decimal("10.01"), "USD", fixtures.CURRENCIES), Decimal("10.01"))

    def test_halves_are_rounded_to_even(self):
        # 0.04 * 1.125 = 0.045, 0.12 * 1.125 = 0.135
        self.assertEqual(to_reporting(Decimal("0.04"), "EUR", fixtures.CURRENCIES), Decimal("0.04"))
        self.assertEqual(to_reporting(Decimal("0.12"), "EUR", fixtures.CURRENCIES), Decimal("0.14"))


class Position(unittest.TestCase):
    def check(self, paid, day, outstanding, days):
        found = position(Decimal("300.00"), DUE, Decimal(paid), fixtures.day(day))
        self.assertEqual(found, (Decimal(outstanding), days))

    def test_nothing_is_past_due_on_the_day_itself(self):
        self.check("0.00", "2025-02-10", "300.00", 0)

    def test_days_count_from_the_oldest_unpaid_installment(self):
        self.check("0.00", "2025-03-31", "300.00", 49)
        self.check("103.00", "2025-03-31", "200.00", 21)

    def test_interest_is_settled_before_principal(self):
        self.check("2.99", "2025-02-28", "300.00", 18)
        self.check("3.01", "2025-02-28", "299.99", 18)

    def test_a_cent_that_is_missing_is_past_due(self):
        self.check("102.99", "2025-02-28", "200.01", 18)

    def test_all_paid_is_nothing_outstanding(self):
        self.check("309.00", "2025-04-30", "0.00", 0)

    def test_more_than_scheduled_reduces_the_principal(self):
        found = position(Decimal("300.00"), DUE[:1], Decimal("153.00"), fixtures.day("2025-02-28"))
        self.assertEqual(found, (Decimal("150.00"), 0))

    def test_what_is_outstanding_is_never_negative(self):
        self.check("400.00", "2025-04-30", "0.00", 0)


class History(unittest.TestCase):
    def build(self, paid, until="2025-04-30", **other):
        payments = fixtures.installments(paid)
        return build_history(fixtures.loan(**other), payments, fixtures.day(until), fixtures.CURRENCIES)

    def values(self, history, column):
        return [month[column] for month in history["months"]]

    def test_the_first_month_is_that_of_the_origination(self):
        history = self.build([("103.00", "2025-02-10")])
        self.assertEqual(self.values(history, "month"), ["2025-01", "2025-02", "2025-03", "2025-04"])
        self.assertEqual(self.values(history, "outstanding")[0], Decimal("300.00"))

    def test_it_ends_when_it_is_repaid(self):
        paid = [("103.00", "2025-02-10"), ("103.00", "2025-03-10"), ("103.00", "2025-04-10")]
        history = self.build(paid, until="2025-12-31")
        self.assertEqual(self.values(history, "month")[-1], "2025-04")
        self.assertEqual(self.values(history, "outstanding")[-1], Decimal("0.00"))

    def test_money_counts_in_the_month_in_which_it_comes(self):
        history = self.build([("103.00", "2025-03-02")])
        self.assertEqual(self.values(history, "paid"), [0, 0, Decimal("103.00"), 0])
        self.assertEqual(self.values(history, "scheduled"), [0, Decimal("103.00"), 0, 0])
        self.assertEqual(self.values(history, "days_past_due"), [0, 18, 0, 0])

    def test_a_missed_installment_ages(self):
        history = self.build([("103.00", "2025-02-10"), ("0.00", None), ("103.00", "2025-04-10")])
        self.assertEqual(self.values(history, "days_past_due"), [0, 0, 21, 20])

    def test_installments_need_no_order(self):
        payments = fixtures.installments([("103.00", "2025-02-10"), ("50.00", "2025-03-10")])
        until = fixtures.day("2025-04-30")
        straight = build_history(fixtures.loan(), payments, until, fixtures.CURRENCIES)
        turned = build_history(fixtures.loan(), payments[::-1], until, fixtures.CURRENCIES)
        self.assertEqual(straight["months"], turned["months"])

    def test_what_comes_after_the_reporting_date_is_not_known_yet(self):
        history = self.build([("103.00", "2025-02-20"), ("103.00", "2025-03-10")], until="2025-02-15")
        self.assertEqual(self.values(history, "month"), ["2025-01", "2025-02"])
        self.assertEqual(self.values(history, "paid"), [0, 0])
        self.assertEqual(self.values(history, "days_past_due"), [0, 5])

    def test_other_currencies_are_converted(self):
        history = self.build([("103.00", "2025-02-10")], currency="EUR")
        self.assertEqual(history["originated"], Decimal("337.50"))
        self.assertEqual(self.values(history, "outstanding")[-1], Decimal("225.00"))
        self.assertEqual(self.values(history, "outstanding_local")[-1], Decimal("200.00"))
        # 103.00 * 1.125 = 115.875
        self.assertEqual(self.values(history, "paid")[1], Decimal("115.88"))

    def test_a_loan_without_installments_owes_its_principal(self):
        self.assertEqual(set(self.values(self.build([]), "outstanding")), {Decimal("300.00")})


class Histories(unittest.TestCase):
    def test_they_are_sorted_by_loan(self):
        loans = [fixtures.loan("L2"), fixtures.loan("L1")]
        histories = build_histories(loans, [], fixtures.day("2025-02-28"), fixtures.CURRENCIES)
        self.assertEqual([history["loan"]["loan_id"] for history in histories], ["L1", "L2"])

    def test_each_loan_gets_its_own_payments(self):
        payments = fixtures.installments([("103.00", "2025-02-10")], "L2")
        loans = [fixtures.loan("L1"), fixtures.loan("L2")]
        histories = build_histories(loans, payments, fixtures.day("2025-02-28"), fixtures.CURRENCIES)
        self.assertEqual([history["months"][-1]["paid"] for history in histories], [0, Decimal("103.00")])

    def test_a_loan_of_the_future_is_not_there_yet(self):
        loans = [fixtures.loan(), fixtures.loan("L2", origination_date=fixtures.day("2025-03-01"))]
        histories = build_histories(loans, [], fixtures.day("2025-02-28"), fixtures.CURRENCIES)
        self.assertEqual(len(histories), 1)


if __name__ == "__main__":
    unittest.main()
