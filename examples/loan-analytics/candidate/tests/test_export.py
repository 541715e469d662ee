"""What the files say: every number in full, every column in its place."""
import json
import os
import tempfile
import unittest
from decimal import Decimal

from pipeline.configuration import fill_text as fill
from pipeline.output import cell, export, write_document, write_table
from tests import fixtures


class Cells(unittest.TestCase):
    def test_money_has_two_places(self):
        cells = [cell(Decimal(text)) for text in ("5", "5.1", "1234567.89")]
        self.assertEqual(cells, ["5.00", "5.10", "1234567.89"])

    def test_fractions_are_written_in_full(self):
        for value in (0.1 + 0.2, 1 / 3, 1e-17, 5e300):
            self.assertEqual(float(cell(value)), value)

    def test_nothing_and_flags_have_words(self):
        self.assertEqual([cell(None), cell(True), cell(False), cell(0)], ["", "true", "false", "0"])


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "a", "b")

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8", newline="") as file:
            return file.read()

    def test_columns_stand_in_the_order_asked_for(self):
        os.makedirs(self.folder)
        write_table(os.path.join(self.folder, "t.csv"), ["b", "a"], [{"a": 1, "b": "x,y", "c": 2}])
        self.assertEqual(self.read("t.csv"), 'b,a\n"x,y",1\n')

    def test_a_row_without_a_column_is_an_error(self):
        os.makedirs(self.folder)
        with self.assertRaises(KeyError):
            write_table(os.path.join(self.folder, "t.csv"), ["a"], [{"b": 1}])

    def test_documents_read_back(self):
        os.makedirs(self.folder)
        write_document(os.path.join(self.folder, "d.json"), {"b": 0.1, "a": [None, "\u00e9"]})
        self.assertEqual(json.loads(self.read("d.json")), {"a": [None, "\u00e9"], "b": 0.1})

    def test_all_results_are_written(self):
        exports = {
            "tables": {"t": {"file": "table.csv", "columns": ["a"]}},
            "documents": {"d": "document.json"},
        }
        names = export(self.folder, {"t": [{"a": 1}], "d": {}}, exports)
        self.assertEqual(sorted(names), sorted(os.listdir(self.folder)))


class Placeholders(unittest.TestCase):
    def test_the_environment_fills_them(self):
        directory = fixtures.settings()["integrations"]["exports"]["directory"]
        self.assertEqual(fill(directory, {"LOAN_EXPORTS": "elsewhere"}), "elsewhere")

    def test_what_is_not_set_has_a_default(self):
        self.assertEqual(fill("x/${LOAN_EXPORTS:-exports}/y", {"LOAN_EXPORTS": ""}), "x/exports/y")


if __name__ == "__main__":
    unittest.main()
