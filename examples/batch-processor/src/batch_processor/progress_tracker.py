"""How far the work is: a record for each batch that is done, in `metrics/progress.json`."""
import json
import os
from pathlib import Path


class ProgressTracker:
    """Knows what was done by this process and by those before it."""

    def __init__(self, folder):
        self.path = Path(folder) / "metrics" / "progress.json"

    def batch_done(self, items, seconds):
        """Writes down that a batch is done."""
        records = self.records()
        records.append({"batch": len(records) + 1, "items": items, "seconds": seconds})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(one) for one in records)
        new = self.path.with_name(".progress.json.new")
        new.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        os.replace(new, self.path)
        return records[-1]

    def records(self):
        """All batches that are done, the oldest first."""
        if not self.path.exists():
            return []
        return json.loads(self.path.read_text(encoding="utf-8"))

    def batches(self):
        """How many batches are done."""
        return len(self.records())

    def completed(self):
        """How many items are done."""
        return sum(record["items"] for record in self.records())
