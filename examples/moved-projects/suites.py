"""The own test suites of public projects, before and after a move: the same tests, the same outcomes."""

import collections
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from trees import Refuted, compare, files, quiet, same_compile, without_reason

REQUIREMENTS = [
    "asgiref==3.8.1",
    "cloudpickle==3.1.0",
    "freezegun==1.5.1",
    "hypothesis==6.122.3",
    "mpmath==1.3.0",
    "packaging==24.2",
    "pytest==8.3.4",
    "pytz==2024.2",
    "simplejson==3.19.3",
    "six==1.17.0",
    "sqlparse==0.5.3",
]
TESTS_MIN = 1000
SUITE_SECONDS_MAX = 1800


@dataclass
class Suite:
    """A project at a commit, how its tests are run, and the moves that are tried on it."""

    name: str
    repository: str
    commit: str
    path: str
    tests: list
    moves: list
    ignored: list = field(default_factory=list)
    roots: list = field(default_factory=list)


SUITES = [
    Suite(
        "attrs",
        "python-attrs/attrs",
        "25.3.0",
        "src",
        ["tests"],
        [[("attr._make", "attr.making.core")], [("attr.validators", "attr.checks"), ("attr._compat", "attr._old.compat")]],
        ["tests/test_mypy.yml", "tests/test_pyright.py"],
    ),
    Suite(
        "marshmallow",
        "marshmallow-code/marshmallow",
        "3.23.0",
        "src",
        ["tests"],
        [[("marshmallow.fields", "marshmallow.kinds.fields")], [("marshmallow", "marsh")]],
        ["tests/mypy_test_cases"],
    ),
    Suite(
        "sqlglot",
        "tobymao/sqlglot",
        "v25.34.0",
        ".",
        ["tests"],
        [[("sqlglot.expressions", "sqlglot.tree.expressions")], [("sqlglot.dialects", "sqlglot.speech")]],
    ),
    Suite(
        "networkx",
        "networkx/networkx",
        "networkx-3.4.2",
        ".",
        ["networkx/classes", "networkx/algorithms/shortest_paths", "networkx/algorithms/flow", "networkx/readwrite"],
        [
            [("networkx.classes.graph", "networkx.classes.core.graph")],
            [("networkx.algorithms.shortest_paths", "networkx.algorithms.paths")],
        ],
    ),
]


def environment(workplace):
    """The Python of a virtual environment in which the suites run."""
    place = workplace.folder / "environment"
    if not (place / "done").exists():
        quiet(["python3", "-m", "venv", str(place)])
        quiet([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS])
        (place / "done").touch()
    return str(place / "bin" / "python")


def run(workplace, suite, tree, name, map_path=lambda path: path):
    """The outcome of every test, by its id."""
    report = workplace.folder / f"{name}.json"
    report.unlink(missing_ok=True)
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(tree / suite.path), str(here)])
    place = dict(os.environ, OUTCOMES=str(report), PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    command = [environment(workplace), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "outcomes", "--continue-on-collection-errors", "-W", "ignore::pytest.PytestConfigWarning"]
    command += [f"--ignore={map_path(path)}" for path in suite.ignored]
    command += [map_path(path) for path in suite.tests]
    log = workplace.folder / f"{name}.log"
    with open(log, "wb") as out:
        subprocess.run(command, cwd=tree, env=place, stdout=out, stderr=out, timeout=SUITE_SECONDS_MAX)
    if not report.exists():
        raise Refuted(f"{suite.name}: the tests ended without a report: {log.read_text(errors='replace')[-1500:]}")
    return json.loads(report.read_text())


def renamed(text, pairs):
    """A text with every dotted name of the old tree as it is in the new one."""
    for old, new in sorted(pairs, key=lambda pair: -len(pair[0])):
        text = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, text)
    return text


def mapped(test, document, pairs):
    """The id of a test after the move."""
    path, mark, rest = test.partition("::")
    moves = {move["from"]: move["to"] for move in document["moves"]}
    return timeless(moves.get(path, path) + mark + renamed(rest, pairs))


def timeless(test):
    """An id without the time of day at which its parameters were made."""
    return re.sub(r"\d\d:\d\d:\d\d", "(time)", test)


def moved_folder(path, new, document):
    """Where a folder or a file of tests is after the move."""
    if (new / path).exists():
        return path
    for move in document["moves"]:
        if move["from"] == path or move["from"].startswith(path + "/"):
            end = move["from"][len(path) :]
            if move["to"].endswith(end):
                return move["to"][: len(move["to"]) - len(end)]
    return path


def trial(workplace, names=()):
    """Runs every suite before, and after each of its moves."""
    for suite in SUITES:
        if names and suite.name not in names:
            continue
        old = workplace.checkout(suite.repository, suite.commit, f"suites/{suite.name}/old")
        was = files(old)
        before = run(workplace, suite, old, f"{suite.name}-before")
        if len(before) < TESTS_MIN:
            print(f"{suite.name}: only {len(before)} tests", flush=True)
        print(f"{suite.name} {suite.commit}: {told(before)}", flush=True)
        for number, pairs in enumerate(suite.moves, start=1):
            one_move(workplace, suite, old, was, before, number, pairs)


def one_move(workplace, suite, old, was, before, number, pairs):
    """Moves, compares every file with what was said, and every test with what it did."""
    new = workplace.copy(old, f"suites/{suite.name}/new{number}")
    for cache in new.rglob("__pycache__"):
        shutil.rmtree(cache)
    document = workplace.move(new, pairs, suite.roots)
    counts = compare(was, files(new), document)
    if wrong := without_reason(was, document):
        raise Refuted(f"{suite.name}: {wrong[0]} was edited and names nothing that moved")
    broken = same_compile(old, new, document)
    after = run(workplace, suite, new, f"{suite.name}-after{number}", lambda path: moved_folder(path, new, document))
    expected = {mapped(test, document, pairs): outcome for test, outcome in before.items()}
    after = {timeless(test): outcome for test, outcome in after.items()}
    lost = sorted(set(expected) - set(after))
    extra = sorted(set(after) - set(expected))
    other = sorted(test for test in set(expected) & set(after) if expected[test] != after[test])
    moves = ", ".join(f"{one} -> {two}" for one, two in pairs)
    print(
        f"  {moves}: {counts['moved']} moved, {counts['edited']} edited, {counts['identical']} identical, {broken} not "
        f"compiling before and after; {len(expected)} tests: {len(lost)} lost, {len(extra)} new, {len(other)} other outcomes"
        f"; {len(document['undecided'])} listed",
        flush=True,
    )
    for kind, tests in (("lost", lost), ("new", extra), ("other", other)):
        for test in tests[:10]:
            print(f"    {kind}: {test}: {expected.get(test)} -> {after.get(test)}", flush=True)
    if lost or extra or other:
        workplace.failures.append(f"{suite.name}: {moves}")


def told(outcomes):
    """How many tests had which outcome."""
    counts = collections.Counter(outcomes.values())
    return f"{len(outcomes)} tests: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
