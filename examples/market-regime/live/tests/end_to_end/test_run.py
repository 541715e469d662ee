"""The nightly run on little data, and what names the packages by text."""
import csv
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import unittest

import run
from backtester_v2 import settings
from backtester_v2.market_regime.tests import fixtures
from backtester_v2.strategies.market_regime.sheets import write_workbook

CONFIG = "config/market_regime.yaml"


def named_in(node):
    """All dotted names of the settings."""
    if isinstance(node, dict):
        return [name for value in node.values() for name in named_in(value)]
    if isinstance(node, list):
        return [name for value in node for name in named_in(value)]
    return [node] if isinstance(node, str) and node.startswith("backtester_v2.") else []


class TestRun(unittest.TestCase):
    """From prices to a summary."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        prices, workbook = os.path.join(self.folder, "prices.csv"), os.path.join(self.folder, "regimes.xlsx")
        rows = [dataclasses.asdict(bar) for bar in fixtures.bars(120)]
        with open(prices, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        limits = [{"name": "exposure", "value": 0.7}]
        write_workbook(workbook, {"Thresholds": [{"name": "bearish", "value": -0.2}], "Limits": limits})
        with open(CONFIG, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("data/prices.csv", prices).replace("data/regimes.xlsx", workbook)
        self.config = os.path.join(self.folder, "market_regime.yaml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def out(self, name):
        return os.path.join(self.folder, name)

    def test_two_runs_write_the_same(self):
        for name in ("one", "two"):
            run.run(self.out(name), self.config)
        for folder, _, files in os.walk(self.out("one")):
            for name in files:
                path = os.path.join(folder, name)
                with open(path, "rb") as first, open(path.replace(self.out("one"), self.out("two")), "rb") as second:
                    self.assertEqual(first.read(), second.read(), name)

    def test_the_summary_is_that_of_the_tables(self):
        found = run.run(self.out("one"), self.config)
        with open(self.out("one/03_summary/summary.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), found)
        for engine, folder in (("comprehensive", "01_comprehensive"), ("integrated", "02_integrated")):
            with open(self.out("one/%s/regimes.csv" % folder), newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(len(rows), found[engine]["days"])
            self.assertEqual(len({row["code"] for row in rows}), found[engine]["regimes"])

    def test_the_limit_holds(self):
        run.run(self.out("one"), self.config)
        with open(self.out("one/02_integrated/regimes.csv"), newline="", encoding="utf-8") as file:
            self.assertEqual(max(float(row["exposure"]) for row in csv.DictReader(file)), 0.7)

    def test_it_runs_as_a_program(self):
        command = [sys.executable, "-B", "run.py", "--out", self.out("one"), "--config", self.config]
        subprocess.run(command, check=True)
        self.assertEqual(sorted(os.listdir(self.out("one"))), ["01_comprehensive", "02_integrated", "03_summary"])


class TestSettings(unittest.TestCase):
    """Dotted names outside of Python."""

    def test_every_name_of_the_settings_is_there(self):
        names = named_in(settings.load(CONFIG))
        self.assertEqual(len(names), 7)
        for name in names:
            self.assertIsNotNone(settings.named(name))

    def test_a_name_that_is_not_there(self):
        for name in ("backtester_v2.nowhere.Name", "backtester_v2.settings.Nothing", "plain"):
            with self.assertRaises(settings.SettingsError):
                settings.named(name)

    def test_what_is_no_settings(self):
        for text in ("neither", "a: 1\n- b\n", "a:\n  - b\n  c: 1\n"):
            with self.assertRaises(settings.SettingsError):
                settings.read(text)
