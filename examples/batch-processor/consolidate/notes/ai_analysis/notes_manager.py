"""Notes on what the batch processor does, in `notes.json` below the folder of the data."""
import json
from pathlib import Path


class NotesManager:
    """A list of notes, each with a topic; they are numbered from 1."""

    def __init__(self, folder):
        self.path = Path(folder) / "notes.json"

    def add(self, topic, text):
        """Adds a note."""
        notes = self.notes()
        note = {"number": len(notes) + 1, "topic": topic, "text": text}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(notes + [note], indent=1) + "\n", encoding="utf-8")
        return note

    def notes(self, topic=None):
        """All notes, or those of a topic."""
        if not self.path.exists():
            return []
        notes = json.loads(self.path.read_text(encoding="utf-8"))
        return [note for note in notes if topic in (None, note["topic"])]

    def log_batch(self, batch):
        """A note on a batch, from its figures."""
        percent = 100 * batch["high_confidence_rate"]
        return self.add("batch", f"batch {batch['batch']}: {batch['batch_size']} items, {percent:.0f} % sure")

    def log_rule_changes(self, number, changes):
        """A note on the rules that a round changed."""
        words = ", ".join(f"{change['word']} for {change['label']}" for change in changes)
        return self.add("rules", f"round {number}: {words or 'no change'}")

    def log_trend(self, trend):
        """A note on where it leads."""
        return self.add("trend", f"{trend['direction']}: {trend['change']:+.0%} sure")
