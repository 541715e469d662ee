"""One master and its environments: what is chosen, overridden and filled in, and what the fragments said."""
import json
import pathlib
import tempfile
import unittest

from pipeline import configuration
from pipeline.configuration import ConfigurationError, fill, load, merge

ENVIRONMENTS = ("development", "staging", "production")


class Environments(unittest.TestCase):
    def test_the_variable_names_the_environment(self):
        for name in ENVIRONMENTS:
            self.assertEqual(load(variables={"PIPELINE_ENV": name})["environment"], name)

    def test_an_argument_goes_before_the_variable(self):
        self.assertEqual(load("staging", variables={"PIPELINE_ENV": "production"})["environment"], "staging")

    def test_development_is_the_default(self):
        self.assertEqual(load(variables={})["environment"], "development")

    def test_an_unknown_environment_is_an_error(self):
        with self.assertRaises(ConfigurationError) as caught:
            load("elsewhere", variables={})
        self.assertIn("development, production, staging", str(caught.exception))

    def test_environments_differ_only_in_logging_and_places(self):
        production = load("production", variables={})
        for name in ENVIRONMENTS:
            settings = load(name, variables={})
            for part in ("pipelines", "schemas", "segments", "currencies", "kpis"):
                self.assertEqual(settings[part], production[part], name)
            for part in ("tables", "documents"):
                exports = settings["integrations"]["exports"]
                self.assertEqual(exports[part], production["integrations"]["exports"][part], name)

    def test_exports_go_where_the_variable_says(self):
        for name in ENVIRONMENTS:
            settings = load(name, variables={"LOAN_EXPORTS": "elsewhere"})
            self.assertEqual(settings["integrations"]["exports"]["directory"], "elsewhere")


class Fragments(unittest.TestCase):
    def test_the_master_says_what_the_fragments_said(self):
        master = configuration.read(configuration.FOLDER / "pipeline.json")
        legacy = configuration.FOLDER / "LEGACY"
        fragments = sorted(legacy.rglob("*.json"))
        self.assertEqual(len(fragments), 9)
        for path in fragments:
            place = master
            for part in path.relative_to(legacy).with_suffix("").parts:
                place = place[part]
            self.assertEqual(place, json.loads(path.read_text(encoding="utf-8")), path.name)

    def test_no_file_is_read_below_legacy(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "environments").mkdir()
            (folder / "pipeline.json").write_text('{"a": 1}', encoding="utf-8")
            (folder / "environments" / "test.json").write_text('{"a": 2}', encoding="utf-8")
            self.assertEqual(load("test", folder, {}), {"a": 2, "environment": "test"})

    def test_a_file_that_is_no_json_is_named(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name, "pipeline.json")
            path.write_text("{", encoding="utf-8")
            with self.assertRaises(ConfigurationError) as caught:
                configuration.read(path)
            self.assertIn("pipeline.json", str(caught.exception))


class Merging(unittest.TestCase):
    def test_members_are_overridden_one_by_one(self):
        merged = merge({"a": {"b": 1, "c": 2}, "d": [1, 2]}, {"a": {"c": 3}, "d": [4]}, "")
        self.assertEqual(merged, {"a": {"b": 1, "c": 3}, "d": [4]})

    def test_the_master_stays_as_it_is(self):
        master = {"a": {"b": 1}}
        merge(master, {"a": {"b": 2}}, "")
        self.assertEqual(master, {"a": {"b": 1}})

    def test_what_the_master_does_not_have_is_an_error(self):
        with self.assertRaises(ConfigurationError) as caught:
            merge({"a": {"b": 1}}, {"a": {"B": 2}}, "")
        self.assertIn("/a/B", str(caught.exception))


class Filling(unittest.TestCase):
    def test_placeholders_are_filled_wherever_they_are(self):
        filled = fill({"a": ["x-${A}", 1], "b": {"c": "${B:-default}"}}, {"A": "one"}, "")
        self.assertEqual(filled, {"a": ["x-one", 1], "b": {"c": "default"}})

    def test_a_variable_that_has_to_be_set_is_named(self):
        with self.assertRaises(ConfigurationError) as caught:
            fill({"a": ["${TOKEN}"]}, {}, "")
        self.assertIn("/a/0", str(caught.exception))
        self.assertIn("TOKEN", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
