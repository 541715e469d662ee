"""Brings the records in `data/metrics` to version 2: each says which version it is of. Nothing else in them changes.

    python3 -B consolidate/records.py
"""
import json
import pathlib


def main():
    for path in sorted(pathlib.Path("data/metrics").glob("*.json")):
        records = json.loads(path.read_text(encoding="utf-8"))
        lines = ",\n".join(json.dumps({**record, "version": 2}) for record in records)
        path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
