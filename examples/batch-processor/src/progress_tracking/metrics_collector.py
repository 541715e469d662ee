"""Records of what happened, one file for each kind of them, on the disk after every batch."""
import json
import os
from pathlib import Path


class MetricsCollector:
    """Keeps `metrics/NAME.json` below the folder of the data: a list of records, the oldest first."""

    def __init__(self, folder):
        self.folder = Path(folder) / "metrics"

    def record(self, name, **values):
        """Adds a record; the file is whole at every moment."""
        records = self.history(name) + [values]
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(one) for one in records)
        new = self.folder / f".{name}.json.new"
        new.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        os.replace(new, self.folder / f"{name}.json")
        return values

    def history(self, name, last=None):
        """The records of a kind, or the last ones of them."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            return []
        records = json.loads(path.read_text(encoding="utf-8"))
        return records if last is None else records[-last:]
