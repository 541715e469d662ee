"""Says what this interpreter makes of a project, without importing or writing anything of it."""
import ast
import importlib.util
import json
import os
import sys
import time
import warnings


def importable(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:
        # Loaded already, by hand.
        return True
    except Exception:
        return False


def python_files(root, path):
    full = os.path.join(root, path)
    if os.path.isfile(full):
        yield path
        return
    for folder, folders, files in os.walk(full):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            inner = os.path.join(folder, name)
            if name.endswith(".py") and os.path.isfile(inner):
                yield os.path.relpath(inner, root)


def imported(tree):
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def installed(name):
    try:
        from importlib import metadata
        metadata.distribution(name)
    except Exception:
        return False
    return True


def main():
    asked = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    deadline = time.monotonic() + asked["seconds_max"]
    local, wanted, bad, tried, complete = set(), {}, [], 0, True
    for path in asked["compile"]:
        for found in python_files(asked["root"], path):
            try:
                found.encode("utf-8")
            except UnicodeError:
                continue
            if tried >= asked["files_max"] or time.monotonic() > deadline:
                complete = False
                break
            tried += 1
            local.update(part[:-3] if part.endswith(".py") else part for part in found.split(os.sep))
            try:
                with open(os.path.join(asked["root"], found), "rb") as file:
                    source = file.read()
                compile(source, found, "exec", dont_inherit=True)
                if any(found == top or found.startswith(top + os.sep) for top in asked["imports"]):
                    for name in imported(ast.parse(source)):
                        wanted.setdefault(name, found)
            except Exception:
                bad.append(found)
    missing = {name: found for name, found in wanted.items() if name not in local and not importable(name)}
    print(json.dumps({
        "version": "%d.%d.%d" % sys.version_info[:3],
        "present": [name for name in asked["modules"] if importable(name)],
        "tried": tried,
        "complete": complete,
        "bad": bad,
        "missing": missing,
        "installed": bool(asked["name"]) and installed(asked["name"]),
    }))


main()
