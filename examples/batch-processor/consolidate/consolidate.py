"""Consolidates `src`: puts in what stands beside this program for the phase, and takes out what that replaces.

    python3 -B consolidate/consolidate.py trackers|predictor|notes
"""
import pathlib
import shutil
import sys

REPLACED = {
    "trackers": "batch_processor/progress_tracker.py",
    "predictor": "batch_processor/scaling_predictor.py",
    "notes": "ai_analysis/notes_integration.py",
}


def main(arguments):
    if len(arguments) != 1 or arguments[0] not in REPLACED:
        print("usage: consolidate.py %s" % "|".join(REPLACED), file=sys.stderr)
        return 2
    source, target = pathlib.Path(__file__).parent / arguments[0], pathlib.Path("src")
    replaced = target / REPLACED[arguments[0]]
    if not replaced.exists():
        print("error: `%s` is gone already" % replaced, file=sys.stderr)
        return 1
    for path in sorted(source.rglob("*.py")):
        shutil.copyfile(path, target / path.relative_to(source))
    replaced.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
