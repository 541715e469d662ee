"""Decides on the size of the next batch, within limits."""
from batch_processor.scaling_predictor import ScalingPredictor

SIZE_MIN = 5
SIZE_MAX = 100
# No batch should take longer.
SECONDS_MAX = 30.0


class ScalingManager:
    """What the predictor says, kept within the limits."""

    def __init__(self, predictor=None):
        self.predictor = predictor or ScalingPredictor()

    def decide(self, history, current):
        """The next size, and why."""
        if not self.predictor.should_scale_now(history):
            return {"size": current, "reason": "the history says too little"}
        size = self.predictor.predict_optimal_batch_size(history, current)
        size = max(SIZE_MIN, min(SIZE_MAX, size, 2 * current))
        seconds = self.predictor.predict_processing_time(history, size)
        if seconds > SECONDS_MAX:
            size = max(SIZE_MIN, int(size * SECONDS_MAX / seconds))
            return {"size": size, "reason": "a larger batch would take too long"}
        if size == current:
            return {"size": size, "reason": "the size is right"}
        return {"size": size, "reason": "larger is better" if size > current else "smaller is better"}
