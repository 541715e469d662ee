"""Reading a tape: what is taken, what is left out and why, what stops the run."""
import os
import tempfile
import unittest
from decimal import Decimal

from python.ingestion import (
    IngestionError,
    parse_count,
    parse_date,
    parse_money,
    parse_rate,
    read_loans,
    read_payments,
)
from tests import fixtures


class Parsing(unittest.TestCase):
    def check_refused(self, parse, texts):
        for text in texts:
            with self.subTest(text=text), self.assertRaises(ValueError):
                parse(text)

    def test_money_is_exact(self):
        self.assertEqual(parse_money("0.10") * 3, Decimal("0.30"))
        self.assertEqual(parse_money("12"), Decimal("12"))

    def test_money_that_is_none_is_refused(self):
        self.check_refused(parse_money, ["", "-1.00", "1.005", "1,00", "1e3", "NaN", " 1.00", "\u0661"])

    def test_rates_may_have_many_places(self):
        self.assertEqual(parse_rate("0.12345"), Decimal("0.12345"))
        self.check_refused(parse_rate, ["", "-0.1", "12%"])

    def test_counts_are_whole(self):
        self.assertEqual(parse_count("012"), 12)
        self.check_refused(parse_count, ["", "1.0", "-1", "1_000"])

    def test_dates_are_written_in_one_way(self):
        self.assertEqual(parse_date("2024-02-29"), fixtures.day("2024-02-29"))
        self.check_refused(parse_date, ["", "20240229", "2025-02-29", "2024-2-9", "2024-W09-4"])


class Tape(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "tape.csv")

    def loans(self, *lines, columns=None):
        fixtures.write_csv(self.path, columns or fixtures.LOAN_COLUMNS, lines)
        return read_loans(self.path, fixtures.LOAN_SCHEMA, fixtures.SEGMENTS, fixtures.CURRENCIES)

    def payments(self, *lines):
        fixtures.write_csv(self.path, fixtures.PAYMENT_COLUMNS, lines)
        return read_payments(self.path, fixtures.PAYMENT_SCHEMA, [fixtures.loan()])

    def check_left_out(self, result, line, *words):
        taken, left_out = result
        self.assertEqual([entry["line"] for entry in left_out], [line])
        for word in words:
            self.assertIn(word, left_out[0]["reason"])
        return taken


class ReadLoans(Tape):
    def check_changed(self, old, new, *words):
        changed = fixtures.LOAN_LINE.replace("L1", "L2").replace(old, new)
        self.assertNotEqual(changed, fixtures.LOAN_LINE.replace("L1", "L2"))
        taken = self.check_left_out(self.loans(fixtures.LOAN_LINE, changed), 3, *words)
        self.assertEqual([loan["loan_id"] for loan in taken], ["L1"])

    def test_a_line_becomes_a_loan(self):
        loans, left_out = self.loans(fixtures.LOAN_LINE)
        self.assertEqual(loans, [fixtures.loan()])
        self.assertEqual(left_out, [])

    def test_columns_may_stand_in_another_order(self):
        columns = list(reversed(fixtures.LOAN_COLUMNS))
        line = ",".join(reversed(fixtures.LOAN_LINE.split(",")))
        self.assertEqual(self.loans(line, columns=columns)[0], [fixtures.loan()])

    def test_a_missing_column_stops_the_run(self):
        with self.assertRaises(IngestionError) as caught:
            self.loans(fixtures.LOAN_LINE, columns=fixtures.LOAN_COLUMNS[:-1])
        self.assertIn("origination_date", str(caught.exception))

    def test_an_empty_file_stops_the_run(self):
        with open(self.path, "w", encoding="utf-8"), self.assertRaises(IngestionError):
            read_loans(self.path, fixtures.LOAN_SCHEMA, fixtures.SEGMENTS, fixtures.CURRENCIES)

    def test_a_tape_without_a_loan_stops_the_run(self):
        with self.assertRaises(IngestionError):
            self.loans()

    def test_a_loan_that_repeats_is_left_out(self):
        taken = self.check_left_out(self.loans(fixtures.LOAN_LINE, fixtures.LOAN_LINE), 3, "L1", "line 2")
        self.assertEqual(len(taken), 1)

    def test_an_unknown_segment_is_left_out(self):
        self.check_changed("alpha", "gamma", "gamma", "segment")

    def test_a_product_of_another_segment_is_left_out(self):
        self.check_changed("plain", "fancy", "fancy", "alpha")

    def test_an_unknown_currency_is_left_out(self):
        self.check_changed("USD", "ABC", "ABC")

    def test_a_principal_of_nothing_is_left_out(self):
        self.check_changed("300.00", "0.00", "principal")

    def test_a_rate_beyond_the_limit_is_left_out(self):
        self.check_changed("0.12", "1.12", "1.12")

    def test_a_term_beyond_the_limit_is_left_out(self):
        self.check_changed(",3,", ",121,", "121")

    def test_a_short_line_is_left_out(self):
        self.check_left_out(self.loans(fixtures.LOAN_LINE, "L2,B1,alpha"), 3)


class ReadPayments(Tape):
    def test_a_line_becomes_a_payment(self):
        payments, left_out = self.payments(fixtures.PAYMENT_LINE)
        self.assertEqual(payments, fixtures.installments([("103.00", "2025-02-10")]))
        self.assertEqual(left_out, [])

    def test_nothing_paid_needs_no_date(self):
        payments, _ = self.payments("L1,1,2025-02-10,100.00,3.00,0.00,")
        self.assertIsNone(payments[0]["paid_date"])

    def test_an_amount_without_a_date_is_left_out(self):
        self.check_left_out(self.payments("L1,1,2025-02-10,100.00,3.00,5.00,"), 2, "date")

    def test_a_payment_of_no_loan_is_left_out(self):
        self.check_left_out(self.payments(fixtures.PAYMENT_LINE, "L9" + fixtures.PAYMENT_LINE[2:]), 3, "L9")

    def test_an_installment_that_repeats_is_left_out(self):
        self.check_left_out(self.payments(fixtures.PAYMENT_LINE, fixtures.PAYMENT_LINE), 3, "installment 1")

    def test_an_amount_that_is_none_is_left_out(self):
        self.check_left_out(self.payments(fixtures.PAYMENT_LINE.replace("103.00", "n/a")), 2, "n/a")


if __name__ == "__main__":
    unittest.main()
