"""Says of every file of metrics that is declared whether it is whole, and ends with 1 when one is not.

    python3 -B checks/data.py
"""
import json
import pathlib
import sys

DECLARED = pathlib.Path("checks/records.json")
FOLDER = pathlib.Path("data/metrics")


def trouble(path, least):
    """What is wrong with a file; nothing when it is whole."""
    if not path.exists():
        return "missing"
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return f"corrupted: {error}"
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return "corrupted: no list of records"
    if len(records) < least:
        return f"truncated: {len(records)} of at least {least} records"
    return None


def main():
    found = []
    for name, least in json.loads(DECLARED.read_text(encoding="utf-8")).items():
        path = FOLDER / f"{name}.json"
        why = trouble(path, least)
        print(f"{path}: {why or 'whole'}")
        if why:
            found.append(f"{path} is {why}")
    if found:
        sys.exit("; ".join(found))


if __name__ == "__main__":
    main()
