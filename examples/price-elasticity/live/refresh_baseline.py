"""Writes the baseline anew, from the fixture and the code as it stands. Never done by a test: only on purpose.

The reason is asked for, and stands in `tests/data/baseline.json` with the hashes of the fixture that the baseline was
made from. What has changed is told; it is read by a person, and goes into the history with the code that changed it.
"""
import sys

sys.dont_write_bytecode = True

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import tempfile

import run

DATA = pathlib.Path(__file__).resolve().parent / "tests" / "data"
PRODUCTS = ["harvest", "meadow"]
REPLICATES = 20


def hashes(folder):
    """The SHA-256 of each file of a folder, by its path there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def make(out):
    """Runs the pipeline on the fixture as the baseline has it."""
    settings = run.load_settings()
    settings.update(products=PRODUCTS, replicates=REPLICATES)
    return run.run(str(DATA / "fixture"), str(out), settings)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--why", required=True, help="why the results may be others than before")
    options = parser.parse_args(arguments)
    if not options.why.strip():
        parser.error("--why says nothing")
    baseline = DATA / "baseline"
    before = hashes(baseline) if baseline.exists() else {}
    with tempfile.TemporaryDirectory(dir=str(DATA)) as folder:
        fresh = pathlib.Path(folder) / "baseline"
        make(fresh)
        after = hashes(fresh)
        changed = sorted(name for name in {**before, **after} if before.get(name) != after.get(name))
        if not changed:
            print("nothing to refresh: the results are those of the baseline, byte for byte")
            return 0
        if baseline.exists():
            shutil.rmtree(baseline)
        os.replace(fresh, baseline)
    about = {"why": options.why, "fixture": hashes(DATA / "fixture"), "baseline": after}
    (DATA / "baseline.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in changed:
        print("%s %s" % ("new" if name not in before else "gone" if name not in after else "changed", name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
