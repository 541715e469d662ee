"""From files to rows: what is corrected, left out and carried on."""
import unittest

from stages.prepare import all_weeks, carry, join_quotes, prepare, quote_columns, read_quotes, read_sales
from stages.tables import InputError
from tests import fixtures
from tests.fixtures import week


class Sales(unittest.TestCase):
    def read(self, *lines):
        path = fixtures.Folder(self).write("sales.csv", fixtures.SALES_HEADER, list(lines))
        return read_sales(path, ["alpha", "beta"])

    def test_rows_are_sorted_by_product_and_week(self):
        rows, _ = self.read("2021-01-09,beta,3", "2021-01-09,alpha,2", "2021-01-02,alpha,1")
        self.assertEqual([row["sales"] for row in rows], [1.0, 2.0, 3.0])

    def test_a_later_line_corrects_an_earlier_one(self):
        rows, counts = self.read("2021-01-02,alpha,1", "2021-01-02,alpha,10", "2021-01-02,beta,4")
        self.assertEqual([row["sales"] for row in rows], [10.0, 4.0])
        self.assertEqual(counts["corrected"], 1)

    def test_what_is_left_out_is_counted_by_its_reason(self):
        lines = ["2021-01-02,alpha,", "2021-01-02,gamma,1", "2021-01-02,beta,0", "2021-01-09,beta,-2"]
        rows, counts = self.read(*lines)
        self.assertEqual(rows, [])
        expected = {"sales_read": 4, "no_figure": 1, "not_positive": 2, "unknown_product": 1, "corrected": 0}
        self.assertEqual(counts, expected)

    def test_a_figure_that_is_no_number_is_an_error(self):
        with self.assertRaisesRegex(InputError, "sales.csv:2: `lots` is no number"):
            self.read("2021-01-02,alpha,lots")


class Quotes(unittest.TestCase):
    def read(self, *lines):
        path = fixtures.Folder(self).write("quotes.csv", fixtures.QUOTES_HEADER, list(lines))
        return read_quotes(path, ["alpha"], ["own", "first"])

    def test_they_are_found_by_product_provider_and_week(self):
        quotes, read = self.read("2021-01-02,alpha,own,1.2,6.5", "2021-01-02,alpha,first,1.1,7")
        self.assertEqual(read, 2)
        self.assertEqual(quotes["alpha", "own"], {week(0): (1.2, 6.5)})
        self.assertEqual(quotes["alpha", "first"], {week(0): (1.1, 7.0)})

    def test_providers_that_are_not_asked_for_are_left_out(self):
        quotes, read = self.read("2021-01-02,alpha,other,1.2,6.5", "2021-01-02,gamma,own,1.2,6.5")
        self.assertEqual((quotes, read), ({("alpha", "own"): {}, ("alpha", "first"): {}}, 2))

    def test_a_cap_of_nothing_is_an_error(self):
        with self.assertRaisesRegex(InputError, "quotes.csv:3: .* not above 0"):
            self.read("2021-01-02,alpha,own,1.2,6.5", "2021-01-09,alpha,own,1.2,0")


class Carrying(unittest.TestCase):
    WEEKS = [week(number) for number in range(5)]

    def test_a_missing_week_has_the_quote_before(self):
        filled, carried = carry({week(0): (1, 5), week(2): (2, 6)}, self.WEEKS[:3], 2)
        self.assertEqual(filled, {week(0): (1, 5), week(1): (1, 5), week(2): (2, 6)})
        self.assertEqual(carried, 1)

    def test_a_quote_is_not_carried_for_ever(self):
        filled, carried = carry({week(0): (1, 5)}, self.WEEKS, 2)
        self.assertEqual((sorted(filled), carried), (self.WEEKS[:3], 2))

    def test_a_new_quote_can_be_carried_as_long_again(self):
        filled, carried = carry({week(0): (1, 5), week(2): (2, 6)}, self.WEEKS, 2)
        self.assertEqual((filled[week(4)], carried), ((2, 6), 3))

    def test_before_the_first_quote_there_is_none(self):
        filled, carried = carry({week(1): (1, 5)}, self.WEEKS[:2], 2)
        self.assertEqual((filled, carried), ({week(1): (1, 5)}, 0))


class Joining(unittest.TestCase):
    def test_weeks_have_no_gap(self):
        self.assertEqual(all_weeks([week(3), week(0)]), [week(0), week(1), week(2), week(3)])

    def test_a_week_needs_every_provider(self):
        quotes = {("alpha", "own"): {week(0): (1, 5), week(1): (1, 5)}, ("alpha", "first"): {week(1): (2, 6)}}
        rows, carried = join_quotes(quotes, ["alpha"], ["own", "first"], 2)
        row = {"own_price": 1, "own_cap": 5, "first_price": 2, "first_cap": 6}
        self.assertEqual(rows, [dict(row, product="alpha", week=week(1))])
        self.assertEqual(carried, 0)
        self.assertEqual(set(rows[0]), set(quote_columns(["own", "first"])))

    def test_a_product_without_a_quote_is_an_error(self):
        with self.assertRaisesRegex(InputError, "no quote for `alpha`"):
            join_quotes({("alpha", "own"): {}}, ["alpha"], ["own"], 2)

    def test_the_stage_tells_what_it_read(self):
        folder = fixtures.Folder(self)
        sales = folder.write("sales.csv", fixtures.SALES_HEADER, ["2021-01-02,alpha,1.5"])
        lines = ["2021-01-%02d,alpha,%s,1,6" % (day, name) for day in (2, 16) for name in ("own", "first", "second")]
        quotes = folder.write("quotes.csv", fixtures.QUOTES_HEADER, lines)
        rows, quoted, quality = prepare(sales, quotes, fixtures.settings(products=["alpha"]))
        self.assertEqual((len(rows), len(quoted)), (1, 3))
        self.assertEqual((quality["quotes_read"], quality["quotes_carried"]), (6, 3))


if __name__ == "__main__":
    unittest.main()
