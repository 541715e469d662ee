"""Replaces one text in one file of the live tree."""
import pathlib
import sys


def plant(path, right, wrong):
    """Ends with 2 when the text is not there: then another phase is live than the fault is about."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if text.count(right) != 1:
        print(f"error: `{path}` is not what this fault is about: is its phase live, and in order?", file=sys.stderr)
        sys.exit(2)
    pathlib.Path(path).write_text(text.replace(right, wrong), encoding="utf-8")
    print(f"planted in {path}")
