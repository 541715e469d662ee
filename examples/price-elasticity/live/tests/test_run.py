"""The whole run on the fixture, and the fixture itself."""
import csv
import hashlib
import io
import json
import os
import unittest
from contextlib import redirect_stderr, redirect_stdout

from run import load_settings, main, run
from tests import fixtures

FIXTURE = str(fixtures.DATA / "fixture")
STAGES = ["01_prepare", "02_features", "03_bootstrap", "04_scenarios", "05_intervals", "06_export"]


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = fixtures.Folder(self)

    def run_fixture(self, name="out", **other):
        settings = load_settings()
        settings.update(products=["harvest", "meadow"], replicates=3)
        settings.update(other)
        return run(FIXTURE, self.folder.path(name), settings)

    def content(self, *path):
        with open(os.path.join(self.folder.name, *path), encoding="utf-8", newline="") as file:
            return file.read()

    def table(self, *path):
        return list(csv.DictReader(io.StringIO(self.content(*path))))

    def test_every_stage_has_its_folder(self):
        self.assertEqual(self.run_fixture(), STAGES)
        self.assertEqual(sorted(os.listdir(self.folder.path("out"))), STAGES)

    def test_a_second_run_writes_the_same_bytes(self):
        self.run_fixture("one")
        self.run_fixture("two")
        for folder, _, names in os.walk(self.folder.path("one")):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.folder.path("one"))
                self.assertEqual(self.content("one", path), self.content("two", path), path)

    def test_every_row_of_features_has_its_sales(self):
        self.run_fixture()
        sales = {(row["product"], row["week"]) for row in self.table("out", "01_prepare", "sales.csv")}
        features = {(row["product"], row["week"]) for row in self.table("out", "02_features", "features.csv")}
        self.assertTrue(features and features <= sales)

    def test_each_replicate_is_a_row(self):
        self.run_fixture(replicates=4)
        for stage in ("03_bootstrap", "04_scenarios"):
            rows = self.table("out", stage, "replicates.csv")
            self.assertEqual([row["replicate"] for row in rows], ["0", "1", "2", "3"])

    def test_what_is_exported_is_what_was_simulated(self):
        self.run_fixture()
        simulated = self.table("out", "04_scenarios", "scenarios.csv")
        exported = self.table("out", "06_export", "demand.csv")
        self.assertEqual([row["sales"] for row in exported], [row["sales"] for row in simulated])

    def test_the_command_line_chooses_products(self):
        said = io.StringIO()
        with redirect_stdout(said):
            arguments = ["--data", FIXTURE, "--out", self.folder.path("out")]
            code = main(arguments + ["--products", "meadow", "--replicates", "2"])
        self.assertEqual((code, said.getvalue()[:8]), (0, "6 stages"))
        found = self.table("out", "06_export", "elasticities.csv")
        self.assertEqual([row["product"] for row in found], ["meadow"])

    def test_data_that_is_not_there_is_an_error(self):
        said = io.StringIO()
        with redirect_stderr(said):
            code = main(["--data", self.folder.path("none"), "--out", self.folder.path("out")])
        self.assertEqual(code, 1)
        self.assertIn("sales.csv", said.getvalue())


class Fixture(unittest.TestCase):
    def test_the_baseline_was_made_from_this_fixture(self):
        about = json.loads((fixtures.DATA / "baseline.json").read_text(encoding="utf-8"))
        for kind in ("fixture", "baseline"):
            paths = [path for path in (fixtures.DATA / kind).rglob("*") if path.is_file()]
            found = {
                path.relative_to(fixtures.DATA / kind).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in paths
            }
            self.assertEqual(found, about[kind])
        self.assertTrue(about["why"].strip())


if __name__ == "__main__":
    unittest.main()
