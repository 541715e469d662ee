"""The routes answer, and none is lost."""
import csv
import dataclasses
import os
import tempfile
import time
import unittest

from backtester_v2.market_regime.tests import fixtures

try:
    import flask  # noqa: F401
except ImportError:
    FLASK = False
else:
    FLASK = True
    from api.app import create_app

ANSWER_S = 0.2

ROUTES = [
    "GET /api/market-regime/config",
    "GET /api/market-regime/latest",
    "GET /api/market-regime/regimes",
    "GET /api/market-regime/regimes/<int:code>",
    "GET /api/market-regime/status",
    "GET /api/screens/history/<int:days>",
    "GET /api/screens/overview",
    "GET /api/screens/performance",
    "POST /api/market-regime/stress",
]

SETTINGS = """prices: {folder}/prices.csv
engines:
  comprehensive:
    parser: backtester_v2.market_regime.excel_config_parser.ExcelConfigParser
    config: {folder}/sheets
    window: 10
    confirm_days: 2
preload:
  - backtester_v2.market_regime.stress.stress_score
  - backtester_v2.strategies.market_regime.transitions.matrix
"""


@unittest.skipUnless(FLASK, "flask is not installed: pip install -r requirements.txt")
class TestRoutes(unittest.TestCase):
    """Of an application with 80 days of prices."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        rows = [dataclasses.asdict(bar) for bar in fixtures.bars(80)]
        with open(os.path.join(folder.name, "prices.csv"), "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        os.mkdir(os.path.join(folder.name, "sheets"))
        with open(os.path.join(folder.name, "sheets", "Weights.csv"), "w", encoding="utf-8") as file:
            file.write("measure,weight\nbreadth,50%\n")
        settings = os.path.join(folder.name, "market_regime.yaml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(SETTINGS.format(folder=folder.name))
        self.app = create_app(settings)
        self.client = self.app.test_client()

    def test_all_routes_are_there(self):
        found = [
            "%s %s" % (method, rule.rule)
            for rule in self.app.url_map.iter_rules()
            for method in rule.methods - {"HEAD", "OPTIONS"}
            if rule.endpoint != "static"
        ]
        self.assertEqual(sorted(found), ROUTES)

    def test_status(self):
        self.assertEqual(self.client.get("/api/market-regime/status").get_json()["status"], "ok")

    def test_regimes(self):
        self.assertEqual(len(self.client.get("/api/market-regime/regimes").get_json()["regimes"]), 18)

    def test_one_regime(self):
        found = self.client.get("/api/market-regime/regimes/6").get_json()
        self.assertEqual(found, {"name": "low-bullish-trending"})

    def test_an_unknown_regime(self):
        self.assertEqual(self.client.get("/api/market-regime/regimes/19").status_code, 404)

    def test_config(self):
        found = self.client.get("/api/market-regime/config").get_json()
        self.assertEqual(found, {"Weights": [{"measure": "breadth", "weight": 0.5}]})

    def test_latest(self):
        found = self.client.get("/api/market-regime/latest").get_json()
        self.assertEqual(found["date"], fixtures.bars(80)[-1].date)

    def test_a_window_that_is_refused(self):
        found = self.client.get("/api/market-regime/latest?window=1")
        self.assertEqual((found.status_code, found.get_json()), (400, {"error": "a window of 1 is too short"}))

    def test_stress_is_posted(self):
        self.assertEqual(self.client.get("/api/market-regime/stress").status_code, 405)
        self.assertEqual(len(self.client.post("/api/market-regime/stress").get_json()["shocks"]), 3)

    def test_screens(self):
        self.assertIn("panel", self.client.get("/api/screens/overview").get_json())
        self.assertEqual(len(self.client.get("/api/screens/history/4").get_json()["panels"]), 4)
        self.assertIn("total", self.client.get("/api/screens/performance").get_json())

    def test_answers_are_fast(self):
        self.client.get("/api/market-regime/latest")
        for path in ("status", "config", "latest"):
            started = time.perf_counter()
            self.client.get("/api/market-regime/" + path)
            self.assertLess(time.perf_counter() - started, ANSWER_S, path)
