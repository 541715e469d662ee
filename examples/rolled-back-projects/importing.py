"""Which modules of a tree Python can import: each is imported, and what comes from outside of the tree is made up."""

import ast
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# Imports the modules that it reads from its standard input. A package that is not there stands for whatever is asked of it.
PROGRAM = """
import importlib, importlib.abc, importlib.machinery, json, sys
from unittest.mock import MagicMock

asked = json.load(sys.stdin)

class Outside(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in asked["outside"]:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MagicMock(__path__=[], __spec__=spec, __name__=spec.name)

    def exec_module(self, module):
        pass

sys.meta_path.append(Outside())
sys.path.insert(0, ".")
failed = {}
for name in asked["modules"]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = f"{type(error).__name__}: {error}"
sys.__stdout__.write("\\n" + json.dumps(failed))
"""


def module_of(path):
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def failing(files, folders):
    """The modules below these folders that cannot be imported, and why: path → words."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        modules = {module_of(path): path for path in files if path.endswith(".py") and path.startswith(folders)}
        asked = {"modules": sorted(modules), "outside": sorted(outside(files))}
        done = subprocess.run(
            [sys.executable, "-B", "-c", PROGRAM], cwd=folder, input=json.dumps(asked), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        if done.returncode != 0:
            raise SystemExit(f"the modules could not be imported: {done.stderr[-2000:]}")
        failed = json.loads(done.stdout.rsplit("\n", 1)[1])
    return {modules[name]: why for name, why in failed.items()}


def outside(files):
    """The first names of all imports that are neither of Python nor of the tree, be it by a folder `src` on the path."""
    inside = {part.removesuffix(".py") for path in files for part in path.split("/")}
    found = set()
    for path, content in files.items():
        if not path.endswith(".py"):
            continue
        try:
            parsed = ast.parse(content)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(parsed):
            if isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - inside - set(sys.stdlib_module_names)


def lost(known, to_be, folders):
    """Modules of the tree to be that cannot be imported, and are not among those that could not be before either."""
    return {path: why for path, why in failing(to_be, folders).items() if path not in known}
