import pathlib
import unittest

from pipeline.summary import summarise

ORDERS = pathlib.Path(__file__).parent.parent / "data" / "orders.csv"


class SummaryTest(unittest.TestCase):
    def test_every_region_has_one_row(self):
        regions = [row["region"] for row in summarise(ORDERS)]
        self.assertEqual(regions, sorted(set(regions)))

    def test_quantities_add_up(self):
        lines = ORDERS.read_text().splitlines()[1:]
        self.assertEqual(sum(row["quantity"] for row in summarise(ORDERS)), sum(int(line.split(",")[1]) for line in lines))

    def test_the_average_lies_between_the_prices(self):
        for row in summarise(ORDERS):
            self.assertGreater(row["average_price"], 0)
