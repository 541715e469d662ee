"""Phase `merge-notes`: a method of the integration did not arrive in the manager."""
import sys

sys.dont_write_bytecode = True
from plant import plant

plant(
    "src/ai_analysis/notes_manager.py",
    "def log_batch(self, batch):",
    "def batch_note(self, batch):",
)
