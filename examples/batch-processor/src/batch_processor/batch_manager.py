"""Works items off in batches, and writes down how each of them went."""
from batch_processor.processor import high_confidence_rate
from batch_processor.progress_tracker import ProgressTracker
from progress_tracking.metrics_collector import MetricsCollector


class BatchManager:
    """Asks the controller for a size, has the processor do the batch, and keeps figures and progress."""

    def __init__(self, processor, controller, folder, clock):
        self.processor = processor
        self.controller = controller
        self.metrics = MetricsCollector(folder)
        self.tracker = ProgressTracker(folder)
        self.clock = clock
        self.batches = []

    def run(self, items):
        """The results of all items. Nothing is done twice, whatever the sizes are."""
        results = []
        while len(results) < len(items):
            size = self.controller.next_size(len(items) - len(results))
            started = self.clock()
            done = self.processor.process(items[len(results) : len(results) + size])
            seconds = round(self.clock() - started, 6)
            results.extend(done)
            self.tracker.batch_done(items=size, seconds=seconds)
            self.batches.append(self.keep(done, seconds))
        return results

    def keep(self, done, seconds):
        """The figures of a batch; it is stable when it went like the one before it."""
        before = self.metrics.history("batches", last=1)
        rate = high_confidence_rate(done)
        change = abs(rate - before[0]["high_confidence_rate"]) if before else 0.0
        return self.metrics.record(
            "batches",
            batch=self.tracker.batches(),
            batch_size=len(done),
            high_confidence_rate=rate,
            avg_processing_time=round(seconds / len(done), 6),
            stability_score=round(1.0 - change, 4),
        )
