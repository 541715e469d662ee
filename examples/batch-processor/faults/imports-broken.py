"""Phase `merge-trackers`: the controller imports a module that was merged away."""
import sys

sys.dont_write_bytecode = True
from plant import plant

plant(
    "src/batch_processor/dynamic_scaling_controller.py",
    "from progress_tracking.metrics_collector import MetricsCollector, ProgressTracker\n",
    "from batch_processor.progress_tracker import ProgressTracker\n"
    "from progress_tracking.metrics_collector import MetricsCollector\n",
)
