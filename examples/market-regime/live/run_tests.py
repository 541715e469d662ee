"""Runs all tests, category by category, with the standard library alone.

    python3 run_tests.py [--category NAME]… [--junit FILE] [--as OLD=NEW]

A category is a folder in a folder `tests`. The doctests of all modules are one more. `--as` reports the tests of one
package under the name of another one, so that a run before a move can be compared with one after it; a test that is
then there twice has passed if both have.
"""
import argparse
import doctest
import importlib
import os
import sys
import time
import unittest
from xml.etree import ElementTree

SKIPPED = {"__pycache__", "data"}


def folders(name):
    """All folders of a name that are packages, in order."""
    found = []
    for folder, below, _ in os.walk("."):
        below[:] = sorted(one for one in below if one not in SKIPPED and not one.startswith("."))
        if os.path.basename(folder) == name and os.path.exists(os.path.join(folder, "__init__.py")):
            found.append(os.path.normpath(folder))
    return found


def flat(suite):
    """The tests of a suite."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def doctests():
    """The doctests of the packages, tests aside."""
    for folder, below, files in os.walk("backtester_v2"):
        below[:] = sorted(one for one in below if one not in SKIPPED and one != "tests")
        for name in sorted(files):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                if name.endswith(".py") and b">>> " in file.read():
                    module = os.path.splitext(path)[0].replace(os.sep, ".")
                    yield from flat(doctest.DocTestSuite(importlib.import_module(module)))


def collect():
    """All tests by category."""
    found = {}
    for folder in folders("tests"):
        for category in sorted(os.listdir(folder)):
            start = os.path.join(folder, category)
            if os.path.exists(os.path.join(start, "__init__.py")):
                suite = unittest.TestLoader().discover(start, top_level_dir=".")
                found.setdefault(category, []).extend(flat(suite))
    found["doctest"] = list(doctests())
    return found


class Outcomes(unittest.TestResult):
    """What became of each test: its outcome, its seconds, and what was said."""

    def __init__(self):
        super().__init__()
        self.rows = {}
        self.started = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.started = time.perf_counter()

    def note(self, test, outcome, text=""):
        """The worst outcome of a test is its outcome."""
        order = ("passed", "skipped", "failure", "error")
        before = self.rows.get(test.id(), ("passed", 0.0, ""))
        if order.index(outcome) >= order.index(before[0]):
            self.rows[test.id()] = (outcome, time.perf_counter() - self.started, text)

    def addSuccess(self, test):
        self.note(test, "passed")

    def addSkip(self, test, reason):
        self.note(test, "skipped", reason)

    def addFailure(self, test, err):
        self.note(test, "failure", self._exc_info_to_string(err, test))

    def addError(self, test, err):
        self.note(test, "error", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.note(test, "failure", self._exc_info_to_string(err, test))


def renamed(identity, moves):
    """The id of a test, with the package that stands for its own."""
    for old, new in moves:
        if identity.startswith(old + "."):
            return new + identity[len(old):]
    return identity


def together(rows, moves):
    """Rows by the id under which they are reported; the worse of two counts."""
    order = ("passed", "skipped", "failure", "error")
    found = {}
    for identity, row in rows.items():
        name = renamed(identity, moves)
        if name not in found or order.index(row[0]) > order.index(found[name][0]):
            found[name] = row
    return found


def junit(path, found):
    """Writes what is reported as JUnit XML."""
    root = ElementTree.Element("testsuites")
    for category, rows in found.items():
        suite = ElementTree.SubElement(root, "testsuite", name=category, tests=str(len(rows)))
        for identity, (outcome, seconds, text) in rows.items():
            group, _, name = identity.rpartition(".")
            case = ElementTree.SubElement(suite, "testcase", classname=group, name=name, time="%.6f" % seconds)
            if outcome != "passed":
                last = text.strip().splitlines()[-1] if text.strip() else ""
                ElementTree.SubElement(case, outcome, message=last).text = text
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def main(arguments=None):
    """Runs the tests; 1 if one failed or none ran."""
    parser = argparse.ArgumentParser(description="Runs all tests by category.")
    parser.add_argument("--category", action="append", help="only this one")
    parser.add_argument("--junit", help="the file that the results are written into")
    parser.add_argument("--as", dest="moves", action="append", default=[], metavar="OLD=NEW")
    options = parser.parse_args(arguments)
    sys.path.insert(0, os.getcwd())
    moves = [tuple(move.split("=", 1)) for move in options.moves]
    if any(len(move) != 2 for move in moves):
        parser.error("--as wants OLD=NEW")
    found, bad = {}, 0
    for category, tests in collect().items():
        if options.category and category not in options.category:
            continue
        outcomes = Outcomes()
        unittest.TestSuite(tests).run(outcomes)
        found[category] = together(outcomes.rows, moves)
        for identity, (outcome, _, text) in found[category].items():
            if outcome in ("failure", "error"):
                bad += 1
                print("%s: %s\n%s" % (outcome, identity, text), file=sys.stderr)
        skipped = sum(row[0] == "skipped" for row in found[category].values())
        print("%-12s %3d tests, %d skipped" % (category, len(found[category]), skipped))
    if options.junit:
        junit(options.junit, found)
    total = sum(len(rows) for rows in found.values())
    print("%-12s %3d tests, %d failed" % ("all", total, bad))
    return 1 if bad or not total else 0


if __name__ == "__main__":
    raise SystemExit(main())
