"""Tables: what is read strictly, and what is written in full."""
import math
import os
import unittest

from stages.tables import InputError, cell, read_date, read_number, read_table, write_table
from tests import fixtures


class Reading(unittest.TestCase):
    def setUp(self):
        self.folder = fixtures.Folder(self)

    def test_lines_come_with_their_place(self):
        path = self.folder.write("t.csv", "a,b", ["1,2", "3,4"])
        found = list(read_table(path, ("a", "b")))
        self.assertEqual(found, [(path + ":2", {"a": "1", "b": "2"}), (path + ":3", {"a": "3", "b": "4"})])

    def test_another_header_is_refused(self):
        path = self.folder.write("t.csv", "b,a", ["1,2"])
        with self.assertRaisesRegex(InputError, "header is not `a,b`"):
            list(read_table(path, ("a", "b")))

    def test_an_empty_file_is_refused(self):
        path = self.folder.path("t.csv")
        open(path, "w", encoding="utf-8").close()
        with self.assertRaisesRegex(InputError, "header"):
            list(read_table(path, ("a",)))

    def test_a_line_that_is_too_short_is_named(self):
        path = self.folder.write("t.csv", "a,b", ["1,2", "3"])
        with self.assertRaisesRegex(InputError, "t.csv:3: 1 fields, not 2"):
            list(read_table(path, ("a", "b")))

    def test_what_is_no_number_is_named(self):
        for text in ("", "1,5", "nan", "inf", "much"):
            with self.subTest(text), self.assertRaisesRegex(InputError, "here: `%s` is no number" % text):
                read_number(text, "here")

    def test_what_is_no_date_is_named(self):
        with self.assertRaisesRegex(InputError, "here: `2021-02-30` is no date"):
            read_date("2021-02-30", "here")


class Writing(unittest.TestCase):
    def test_fractions_keep_all_their_digits(self):
        for number in (0.1 + 0.2, 1.0 / 3.0, 5e-324, -0.0, math.pi * 1e300):
            self.assertEqual(float(cell(number)).hex(), number.hex())

    def test_nothing_and_dates_have_their_form(self):
        self.assertEqual([cell(None), cell(fixtures.week(1)), cell(7)], ["", "2021-01-09", "7"])

    def test_columns_stand_in_their_order(self):
        folder = fixtures.Folder(self)
        write_table(folder.path("new"), "t.csv", ("b", "a"), [{"a": 1, "b": 2.5, "c": 3}])
        with open(os.path.join(folder.path("new"), "t.csv"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "b,a\n2.5,1\n")

    def test_a_row_without_a_column_is_an_error(self):
        with self.assertRaises(KeyError):
            write_table(fixtures.Folder(self).name, "t.csv", ("a", "b"), [{"a": 1}])


if __name__ == "__main__":
    unittest.main()
