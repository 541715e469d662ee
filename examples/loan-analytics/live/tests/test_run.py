"""The whole run on a tape of three loans."""
import csv
import io
import json
import os
import tempfile
import unittest
from contextlib import redirect_stderr

from run import main, run
from tests import fixtures

LOANS = [
    "L1,B1,alpha,plain,north,USD,300.00,0.12,3,2025-01-10",
    "L2,B2,alpha,plain,south,USD,300.00,0.12,3,2025-01-10",
    "L3,B3,beta,fancy,south,EUR,300.00,0.20,3,2025-01-10",
    "L4,B4,gamma,plain,south,EUR,300.00,0.20,3,2025-01-10",
]
PAYMENTS = [
    "L1,1,2025-02-10,100.00,3.00,103.00,2025-02-10",
    "L1,2,2025-03-10,100.00,3.00,103.00,2025-03-10",
    "L1,3,2025-04-10,100.00,3.00,103.00,2025-04-10",
    "L2,1,2025-02-10,100.00,3.00,0.00,",
    "L2,2,2025-03-10,100.00,3.00,0.00,",
    "L2,3,2025-04-10,100.00,3.00,103.00,2025-04-12",
    "L3,1,2025-02-10,100.00,3.00,0.00,",
    "L3,2,2025-03-10,100.00,3.00,206.00,2025-04-01",
    "L3,3,2025-04-10,100.00,3.00,103.00,2025-04-10",
]


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = os.path.join(folder.name, "tape")
        self.out = os.path.join(folder.name, "out")
        os.mkdir(self.data)
        fixtures.write_csv(os.path.join(self.data, "loans.csv"), fixtures.LOAN_COLUMNS, LOANS)
        fixtures.write_csv(os.path.join(self.data, "payments.csv"), fixtures.PAYMENT_COLUMNS, PAYMENTS)

    def table(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def document(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as file:
            return json.load(file)

    def test_every_file_is_written(self):
        names = run(self.data, self.out, fixtures.settings())
        self.assertEqual(len(names), 7)
        self.assertEqual(sorted(names), sorted(os.listdir(self.out)))

    def test_loans_end_where_their_payments_lead(self):
        run(self.data, self.out, fixtures.settings())
        found = [
            (row["loan_id"], row["status"], row["days_past_due"], row["outstanding_balance"], row["cures"])
            for row in self.table("loan_status.csv")
        ]
        expected = [
            ("L1", "closed", "0", "0.00", "0"),
            ("L2", "delinquent", "51", "200.00", "0"),
            ("L3", "closed", "0", "0.00", "1"),
        ]
        self.assertEqual(found, expected)

    def test_segments_add_up(self):
        run(self.data, self.out, fixtures.settings())
        alpha, beta = self.table("segment_kpis.csv")
        self.assertEqual((alpha["loans"], alpha["par30"], alpha["cure_rate"]), ("2", "1.0", "0.0"))
        self.assertAlmostEqual(float(alpha["collection_rate"]), 4 / 6, delta=1e-12)
        self.assertEqual((beta["loans"], beta["par30"], beta["cure_rate"]), ("1", "", "1.0"))

    def test_the_summary_says_what_was_left_out(self):
        run(self.data, self.out, fixtures.settings())
        quality = self.document("portfolio_summary.json")["quality"]
        self.assertEqual((quality["loans_read"], quality["loans_left_out"]), (3, 1))
        self.assertEqual((quality["payments_read"], quality["payments_left_out"]), (9, 0))

    def test_a_limit_that_is_passed_is_told(self):
        run(self.data, self.out, fixtures.settings())
        found = self.document("alerts.json")["alerts"]
        self.assertEqual([(alert["kpi"], alert["severity"]) for alert in found], [("par30", "critical")])

    def test_a_second_run_writes_the_same(self):
        run(self.data, self.out, fixtures.settings())
        first = self.table("loan_status.csv"), self.table("monthly_kpis.csv")
        run(self.data, self.out, fixtures.settings())
        self.assertEqual((self.table("loan_status.csv"), self.table("monthly_kpis.csv")), first)

    def test_a_tape_that_is_not_there_is_an_error(self):
        said = io.StringIO()
        with redirect_stderr(said):
            code = main(["--data", os.path.join(self.data, "none"), "--out", self.out])
        self.assertEqual(code, 1)
        self.assertIn("loans.csv", said.getvalue())


if __name__ == "__main__":
    unittest.main()
