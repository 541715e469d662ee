"""Phase `merge-predictor`: the manager asks a predictor that it no longer has."""
import sys

sys.dont_write_bytecode = True
from plant import plant

plant(
    "src/batch_processor/scaling_manager.py",
    "if not self.should_scale_now(history):",
    "if not self.predictor.should_scale_now(history):",
)
