"""What the last batches say about the next one."""

# Below this share of sure results, smaller batches are better.
POOR_RATE = 0.5
STABLE = 0.8
BATCHES_MIN = 3
GROWTH = 1.25


class ScalingPredictor:
    """Answers from a history: records with batch_size, high_confidence_rate, avg_processing_time, stability_score."""

    def should_scale_now(self, history):
        """Whether the history says enough: it is long enough, and either poor or stable."""
        last = history[-BATCHES_MIN:]
        if len(last) < BATCHES_MIN:
            return False
        rate = sum(row["high_confidence_rate"] for row in last) / len(last)
        stability = sum(row["stability_score"] for row in last) / len(last)
        return rate < POOR_RATE or stability >= STABLE

    def analyze_batch_size_efficiency(self, history):
        """Sure results per second, by the size of the batch."""
        sure, seconds = {}, {}
        for row in history:
            size = row["batch_size"]
            sure[size] = sure.get(size, 0.0) + size * row["high_confidence_rate"]
            seconds[size] = seconds.get(size, 0.0) + size * row["avg_processing_time"]
        return {size: sure[size] / seconds[size] for size in sorted(sure) if seconds[size] > 0}

    def predict_optimal_batch_size(self, history, current):
        """Half where results are poor; a larger one where the present one is the best so far; else the best one."""
        last = history[-BATCHES_MIN:]
        if sum(row["high_confidence_rate"] for row in last) < POOR_RATE * len(last):
            return current // 2
        efficiency = self.analyze_batch_size_efficiency(history)
        best = max(efficiency, key=lambda size: efficiency[size], default=current)
        return int(current * GROWTH) if best == current else best

    def predict_processing_time(self, history, size):
        """How many seconds a batch of that size takes. What is recent counts most."""
        weight, total, weights = 1.0, 0.0, 0.0
        for row in reversed(history):
            total += weight * row["avg_processing_time"]
            weights += weight
            weight *= 0.9
        return size * total / weights if weights else 0.0
