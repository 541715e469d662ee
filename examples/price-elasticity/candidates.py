"""Makes a successor of `live/`: one that is refactored, one that sums in another way, or one with a wrong lag.

What the successors share with the first version does not stand here twice. The refactored one is made of the modules
of the first version that move as they are, a line for each old name, and the files of `refactored/`. The other two
differ from the first version in one place of one file.
"""
import argparse
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIVE = HERE / "live"
MANAGED = ("stages", "tests", "run.py", "settings.json", "README.md")

# What of the first version goes into the package as it is, and what the package has anew under the same name.
MOVED = ("tables", "prepare", "scenarios", "intervals", "export")
REWRITTEN = ("features", "ridge", "bootstrap")
SHIM = '"""Moved to `elasticity.%s`; the old name stays for those who use it."""\nfrom elasticity.%s import *\n'

# By name: a file, what stands there, and what stands there instead.
EDITS = {
    "reassociated": (
        "stages/ridge.py",
        """    total = 0.0
    for one, other in zip(left, right):
        total += one * other
    return total
""",
        """    return math.fsum(one * other for one, other in zip(left, right))
""",
    ),
    "wrong-lag": (
        "stages/features.py",
        """"competitor_cap_lag": competitor_mean(quote(lag), "cap", competitors),""",
        """"competitor_cap_lag": competitor_mean(quote(lag - 1), "cap", competitors),""",
    ),
}


class CandidateError(Exception):
    """The first version is not what this program knows."""


def refactor(out):
    """Makes the package of the copy of the first version in `out`."""
    package = out / "elasticity"
    package.mkdir()
    for name in MOVED:
        (out / "stages" / (name + ".py")).rename(package / (name + ".py"))
    for name in MOVED + REWRITTEN:
        (out / "stages" / (name + ".py")).write_text(SHIM % (name, name), encoding="utf-8")
    for path in sorted((HERE / "refactored").rglob("*.py")):
        shutil.copyfile(str(path), str(out / path.relative_to(HERE / "refactored")))
    readme = out / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("`stages/", "`elasticity/"), encoding="utf-8")


def edit(out, path, old, new):
    """Replaces the one place of a file where `old` stands."""
    text = (out / path).read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise CandidateError("%s: what is to be changed stands there %d times, not once" % (path, text.count(old)))
    (out / path).write_text(text.replace(old, new), encoding="utf-8")


def make(name, out):
    """Writes a successor into a folder that does not exist yet."""
    out.mkdir(parents=True)
    for part in MANAGED:
        if (LIVE / part).is_dir():
            shutil.copytree(str(LIVE / part), str(out / part), ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(str(LIVE / part), str(out / part))
    if name == "refactored":
        refactor(out)
    else:
        edit(out, *EDITS[name])


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["refactored"] + list(EDITS))
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a folder that does not exist yet")
    options = parser.parse_args(arguments)
    try:
        make(options.name, options.out)
    except (OSError, CandidateError) as error:
        print("error: could not make `%s`: %s" % (options.out, error), file=sys.stderr)
        return 1
    print("%s in %s" % (options.name, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
