"""Phase `merge-predictor`: one of the four methods did not arrive in the manager."""
import sys

sys.dont_write_bytecode = True
from plant import plant

plant(
    "src/batch_processor/scaling_manager.py",
    "def predict_processing_time(self, history, size):",
    "def predict_processing_seconds(self, history, size):",
)
