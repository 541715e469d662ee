"""Looks at the tree before the merge and at the one after it, and says whether anything was lost.

    python3 verify.py OLD NEW

- every module imports;
- every definition, every exported name and every test of the old trees is in the new one;
- every old module is importable by its old name, and is the same module (but for `rolling`, whose name was given up);
- no old name is left, outside of shims, the changelog, data, the plan and its decisions;
- the routes are the same, where flask is installed.

A line for each, and for each thing that was lost; where there is nothing to look at, the answer is no. Exit code 0:
nothing was lost; 1: something was; 2: it could not tell.
"""
import argparse
import ast
import importlib.util
import json
import os
import re
import subprocess
import sys

OLD = "backtester_v2.market_regime"
NEW = "backtester_v2.strategies.market_regime"
# What has another name besides: the longest one holds.
MOVES = ((OLD + ".rolling", NEW + ".windows"), (OLD, NEW))
SHIMS = OLD.replace(".", os.sep)
# Files that speak of the merge, or of the past: one test reads settings as people have them, through the shims.
HISTORY = {"CHANGELOG.md", "switchback.toml", "merge-decisions.toml", os.path.join("tests", "api", "test_routes.py")}
ASIDE = {"__pycache__", "data", "decisions", "results"}
OLD_NAME = re.compile(rb"backtester_v2[./\\]market_regime(?![A-Za-z0-9_])")
LISTED_MAX = 20

# These programs run in a tree, each in an interpreter of its own.
IMPORTS = """
import importlib, json, sys
failed = {}
for name in json.load(sys.stdin):
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = "%s: %s" % (type(error).__name__, error)
print(json.dumps(failed))
"""
TESTS = """
import json, run_tests
print(json.dumps([test.id() for tests in run_tests.collect().values() for test in tests]))
"""
ROUTES = """
import json
from api.app import create_app
rules = create_app().url_map.iter_rules()
print(json.dumps(sorted("%s %s" % (" ".join(sorted(rule.methods)), rule.rule) for rule in rules)))
"""
SHIMMED = """
import importlib, json, sys
wrong = []
for old, new in json.load(sys.stdin):
    try:
        if importlib.import_module(old) is not importlib.import_module(new):
            wrong.append("%s is another module than %s" % (old, new))
    except ImportError as error:
        wrong.append("%s: %s" % (old, error))
print(json.dumps(wrong))
"""


class Unreadable(Exception):
    """A tree that cannot be looked at."""


def asked(tree, program, question=None):
    """What a program answers that runs in a tree."""
    done = subprocess.run(
        [sys.executable, "-B", "-W", "ignore", "-c", "import sys; sys.path.insert(0, '')\n" + program],
        cwd=tree,
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise Unreadable("%s: %s" % (tree, done.stderr.strip() or "no answer")) from None


def files(tree):
    """All files of a tree, relative to it, in order."""
    for folder, below, names in os.walk(tree):
        below[:] = sorted(name for name in below if name not in ASIDE and not name.startswith("."))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), tree)


def contents(tree, path):
    """The bytes of a file."""
    with open(os.path.join(tree, path), "rb") as file:
        return file.read()


def module_of(path):
    """The dotted name of a file."""
    name = os.path.splitext(path)[0].replace(os.sep, ".")
    return name[: -len(".__init__")] if name.endswith(".__init__") else name


def moved(name):
    """What a name is called after the merge."""
    for old, new in MOVES:
        if name == old or name.startswith((old + ".", old + ":")):
            return new + name[len(old):]
    return name


def modules(tree):
    """The modules of a tree, by their names."""
    return {module_of(path): path for path in files(tree) if path.endswith(".py")}


def bound(body, within):
    """The names that the statements of a body define."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield within + node.name
            if isinstance(node, ast.ClassDef):
                yield from bound(node.body, within + node.name + ".")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from (within + name.id for name in ast.walk(target) if isinstance(name, ast.Name))
        elif isinstance(node, (ast.If, ast.Try)):
            branches = [node.body, node.orelse]
            if isinstance(node, ast.Try):
                branches += [node.finalbody] + [handler.body for handler in node.handlers]
            for branch in branches:
                yield from bound(branch, within)


def exported(body):
    """The names of `__all__`."""
    for node in body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            yield from ("__all__: %s" % name for name in ast.literal_eval(node.value))


def definitions(tree):
    """All definitions and exported names of the packages of a tree: `module:Class.name`, as after the merge."""
    found = set()
    for name, path in modules(tree).items():
        try:
            body = ast.parse(contents(tree, path)).body
        except SyntaxError as error:
            raise Unreadable("%s: %s" % (os.path.join(tree, path), error)) from error
        names = list(bound(body, "")) + list(exported(body))
        found.update("%s:%s" % (moved(name), one) for one in names)
    return found


def old_names(tree):
    """Where the old tree is named, with lines."""
    found = []
    for path in files(tree):
        if path in HISTORY or path.startswith(SHIMS + os.sep) or path == SHIMS + ".py":
            continue
        bytes_ = contents(tree, path)
        for number, line in enumerate(bytes_.splitlines(), 1):
            if OLD_NAME.search(line):
                found.append("%s:%d: %s" % (path, number, line.decode("utf-8", "replace").strip()))
        if path.endswith(".py"):
            found += relative_names(path, bytes_)
    return found


def relative_names(path, bytes_):
    """Relative imports that lead to the old tree."""
    package = module_of(path).split(".")
    if os.path.basename(path) != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(bytes_)):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = package[: len(package) - node.level + 1]
            origin = ".".join(above + ([node.module] if node.module else []))
            for name in [origin] + ["%s.%s" % (origin, alias.name) for alias in node.names]:
                if name == OLD or name.startswith(OLD + "."):
                    yield "%s:%d: a relative import of %s" % (path, node.lineno, name)
                    break


def told(title, look):
    """Says what came of one look: yes, no, or nothing where it could not tell."""
    try:
        count, lost = look()
    except (OSError, Unreadable) as error:
        print("??? %s: could not tell: %s" % (title, str(error).splitlines()[-1]))
        return None
    lost = sorted(lost) if count else ["nothing was there to look at"]
    print("%s %s: %d%s" % ("no " if lost else "yes", title, count, ", %d wrong" % len(lost) if lost else ""))
    for line in lost[:LISTED_MAX]:
        print("      %s" % line)
    if len(lost) > LISTED_MAX:
        print("      and %d more" % (len(lost) - LISTED_MAX))
    return not lost


def looks(old, new):
    """What is looked at, and how: each look counts what it saw, and lists what was lost."""
    has_flask = importlib.util.find_spec("flask") is not None

    def imports():
        names = [name for name in modules(new) if not (name + ".").startswith(OLD + ".")]
        if not has_flask:
            names = [name for name in names if name not in ("api.app", "api.routes")]
        return len(names), ["%s: %s" % row for row in asked(new, IMPORTS, names).items()]

    def defined():
        before = definitions(old)
        return len(before), before - definitions(new)

    def tests():
        before = {moved(name) for name in asked(old, TESTS)}
        return len(before), before - set(asked(new, TESTS))

    def shimmed():
        names = [name for name in modules(old) if moved(name) != name]
        pairs = [(name, moved(name)) for name in names if ".tests" not in name and not name.endswith(".rolling")]
        return len(pairs), asked(new, SHIMMED, pairs)

    def named():
        return sum(1 for _ in files(new)), old_names(new)

    def routes():
        before = asked(old, ROUTES)
        return len(before), set(before) ^ set(asked(new, ROUTES))

    yield "modules that import", imports
    yield "definitions and exported names", defined
    yield "tests", tests
    yield "modules under their old names", shimmed
    yield "files without an old name", named
    if has_flask:
        yield "routes", routes
    else:
        print("--- routes: not looked at, because flask is not installed (pip install -r requirements.txt)")


def main(arguments=None):
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", help="the tree before the merge")
    parser.add_argument("new", help="the tree after it")
    options = parser.parse_args(arguments)
    for tree in (options.old, options.new):
        if not os.path.isdir(tree):
            parser.error("there is no folder `%s`" % tree)
    found = [told(title, look) for title, look in looks(options.old, options.new)]
    return 1 if False in found else 2 if None in found else 0


if __name__ == "__main__":
    raise SystemExit(main())
