"""Records of what happened and how far the work is, one file for each kind of them, on the disk after every batch."""
import json
import os
from pathlib import Path

# What a record looks like; records from before the trackers became one have no version.
VERSION = 2


class MetricsCollector:
    """Keeps `metrics/NAME.json` below the folder of the data: a list of records, the oldest first."""

    def __init__(self, folder):
        self.folder = Path(folder) / "metrics"

    def record(self, name, **values):
        """Adds a record; the file is whole at every moment."""
        values["version"] = VERSION
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


class ProgressTracker:
    """Knows what was done by this process and by those before it: the records `progress`."""

    def __init__(self, folder):
        self.metrics = MetricsCollector(folder)

    def batch_done(self, items, seconds):
        """Writes down that a batch is done."""
        return self.metrics.record("progress", batch=self.batches() + 1, items=items, seconds=seconds)

    def records(self):
        """All batches that are done, the oldest first."""
        return self.metrics.history("progress")

    def batches(self):
        """How many batches are done."""
        return len(self.records())

    def completed(self):
        """How many items are done."""
        return sum(record["items"] for record in self.records())
