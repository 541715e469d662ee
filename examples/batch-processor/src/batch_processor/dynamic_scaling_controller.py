"""Picks the size of the next batch from how the last ones went, and remembers what it picked."""
from batch_processor.progress_tracker import ProgressTracker
from batch_processor.scaling_manager import ScalingManager
from batch_processor.scaling_predictor import ScalingPredictor
from progress_tracking.metrics_collector import MetricsCollector

SIZE_START = 10
# So many batches are looked back at.
WINDOW = 20


class DynamicScalingController:
    """Goes on with the size that was decided on last."""

    def __init__(self, folder):
        self.metrics = MetricsCollector(folder)
        self.tracker = ProgressTracker(folder)
        self.manager = ScalingManager(ScalingPredictor())
        decided = self.metrics.history("scaling", last=1)
        self.size = decided[0]["to"] if decided else SIZE_START

    def evaluate(self, history):
        """What the history says about the next batch."""
        return self.manager.decide(history, self.size)

    def next_size(self, left):
        """The size of the next batch, when so many items are left."""
        decision = self.evaluate(self.metrics.history("batches", last=WINDOW))
        if decision["size"] != self.size:
            values = {"from": self.size, "to": decision["size"], "reason": decision["reason"]}
            self.metrics.record("scaling", after_batch=self.tracker.batches(), **values)
            self.size = decision["size"]
        return min(self.size, left)
