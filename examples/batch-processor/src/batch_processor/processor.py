"""Items get a label and a confidence, by rules: words that speak for a label, each with a weight."""

HIGH_CONFIDENCE = 0.7
DOUBT = 0.5


class BatchProcessor:
    """Labels the items of a batch. `rules` is {label: {word: weight}}."""

    def __init__(self, rules):
        self.rules = rules

    def process(self, items):
        """A result for each item, in their order."""
        return [self.label(item) for item in items]

    def label(self, item):
        """The label that most speaks for, and how sure that is: below 1, and 0 where no rule knows a word."""
        words = item["text"].lower().split()
        scores = {label: sum(weights.get(word, 0.0) for word in words) for label, weights in self.rules.items()}
        label = max(sorted(scores), key=lambda one: scores[one])
        confidence = scores[label] / (sum(scores.values()) + DOUBT)
        return {"id": item["id"], "label": label, "confidence": round(confidence, 4)}


def high_confidence_rate(results):
    """The share of results that are sure."""
    sure = sum(1 for result in results if result["confidence"] >= HIGH_CONFIDENCE)
    return round(sure / len(results), 4) if results else 0.0
