"""What the batch processor does, in notes."""


class NotesIntegration:
    """Puts batches, rules and trends into words."""

    def __init__(self, manager):
        self.manager = manager

    def log_batch(self, batch):
        """A note on a batch, from its figures."""
        percent = 100 * batch["high_confidence_rate"]
        return self.manager.add("batch", f"batch {batch['batch']}: {batch['batch_size']} items, {percent:.0f} % sure")

    def log_rule_changes(self, number, changes):
        """A note on the rules that a round changed."""
        words = ", ".join(f"{change['word']} for {change['label']}" for change in changes)
        return self.manager.add("rules", f"round {number}: {words or 'no change'}")

    def log_trend(self, trend):
        """A note on where it leads."""
        return self.manager.add("trend", f"{trend['direction']}: {trend['change']:+.0%} sure")
