"""Phase `merge-trackers`: the controller does not start, because it asks the collector for a tracker."""
import sys

sys.dont_write_bytecode = True
from plant import plant

plant(
    "src/batch_processor/dynamic_scaling_controller.py",
    "self.tracker = ProgressTracker(folder)\n",
    "self.tracker = self.metrics.tracker\n",
)
