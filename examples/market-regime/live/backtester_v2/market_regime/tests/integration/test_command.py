"""The report, and what the routes of the comprehensive engine call."""
import contextlib
import csv
import dataclasses
import io
import os
import tempfile
import unittest
from unittest import mock

import backtester_v2.market_regime.api_handlers as handlers
from backtester_v2.market_regime import command

from .. import fixtures


class TestCommand(unittest.TestCase):
    """The program."""

    def test_a_line_for_each_day_and_one_for_the_changes(self):
        rows = [dataclasses.asdict(bar) for bar in fixtures.bars(30)]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "prices.csv")
            with open(path, "w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
            told = io.StringIO()
            with contextlib.redirect_stdout(told):
                self.assertEqual(command.main([path, "--window", "10"]), 0)
        self.assertEqual(len(told.getvalue().splitlines()), 21)

    def test_thresholds_come_with_the_package(self):
        rows = {row["name"]: row["value"] for row in command.default_sheets()["Thresholds"]}
        self.assertEqual(rows["low_volatility"], 0.12)

    def test_thresholds_of_another_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "Thresholds.csv"), "w", encoding="utf-8") as file:
                file.write("name,value\ntrending,40%\n")
            with mock.patch.dict("os.environ", {"REGIME_DEFAULTS": folder}):
                self.assertEqual(command.default_sheets(), {"Thresholds": [{"name": "trending", "value": 0.4}]})


class TestHandlers(unittest.TestCase):
    """Without the web around them."""

    def test_all_regimes(self):
        self.assertEqual(len(handlers.regime_list()["regimes"]), 18)

    def test_status(self):
        self.assertEqual(handlers.status()["status"], "ok")

    def test_latest(self):
        found = handlers.latest(fixtures.bars(40), {}, 10, 2)
        self.assertEqual(found["date"], fixtures.bars(40)[-1].date)

    def test_stress_report(self):
        found = handlers.stress_report(fixtures.bars(40), {}, 10, 2)
        self.assertEqual([row["shock"] for row in found["shocks"]], [-0.02, -0.05, -0.1])

    def test_all_is_what_star_brings(self):
        self.assertEqual(handlers.__all__, ["latest", "regime_list", "status", "stress_report"])
