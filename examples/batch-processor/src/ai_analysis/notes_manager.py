"""Notes in `notes.json` below the folder of the data."""
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
