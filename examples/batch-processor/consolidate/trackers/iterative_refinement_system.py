"""The whole: items are worked off, what was not sure becomes rules, and they are worked off again."""
import time

from ai_analysis.notes_integration import NotesIntegration
from ai_analysis.notes_manager import NotesManager
from batch_processor.batch_manager import BatchManager
from batch_processor.dynamic_scaling_controller import DynamicScalingController
from batch_processor.feedback_loop import FeedbackLoopManager
from batch_processor.processor import BatchProcessor
from progress_tracking.metrics_collector import ProgressTracker


class IterativeRefinementSystem:
    """Brings the components together; all that they keep is below one folder."""

    def __init__(self, items, rules, folder, clock=time.perf_counter):
        self.items = items
        self.rules = rules
        self.folder = folder
        self.clock = clock
        self.controller = DynamicScalingController(folder)
        self.tracker = ProgressTracker(folder)
        self.feedback = FeedbackLoopManager(folder)
        self.notes = NotesIntegration(NotesManager(folder))

    def refine(self, rounds=3):
        """Up to so many rounds; it ends when nothing is left to learn."""
        number = 0
        for number in range(1, rounds + 1):
            manager = BatchManager(BatchProcessor(self.rules), self.controller, self.folder, self.clock)
            results = manager.run(self.items)
            for batch in manager.batches:
                self.notes.log_batch(batch)
            changes = self.feedback.propose_rule_changes(self.items, results)
            self.rules = self.feedback.apply_rule_changes(self.rules, changes, results)
            self.notes.log_rule_changes(number, changes)
            if not changes:
                break
        trend = self.feedback.get_improvement_trends()
        self.notes.log_trend(trend)
        return {"rounds": number, "items": self.tracker.completed(), "trend": trend, "rules": self.rules}
