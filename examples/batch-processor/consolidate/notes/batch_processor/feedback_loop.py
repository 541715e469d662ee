"""What was not sure becomes new rules, and how much that helps is written down round by round."""
import copy
from collections import Counter

from batch_processor.processor import HIGH_CONFIDENCE, high_confidence_rate
from progress_tracking.metrics_collector import MetricsCollector

# A word has to be in so many unsure items before it becomes a rule.
SEEN_MIN = 2
# So many changes for each label in one round.
CHANGES_MAX = 2
LETTERS_MIN = 4
STEP = 1.0


class FeedbackLoopManager:
    """Items have a `label` that is known afterwards; results say which of them were not sure."""

    def __init__(self, folder):
        self.metrics = MetricsCollector(folder)

    def propose_rule_changes(self, items, results):
        """Words of unsure items that speak for one label alone should count more; the most frequent come first."""
        unsure = {result["id"] for result in results if result["confidence"] < HIGH_CONFIDENCE}
        counts, labels = {}, {}
        for item in items:
            for word in set(item["text"].lower().split()):
                labels.setdefault(word, set()).add(item["label"])
                if item["id"] in unsure:
                    counts.setdefault(item["label"], Counter())[word] += 1
        changes = []
        for label, words in sorted(counts.items()):
            speaking = [word for word in words if len(word) >= LETTERS_MIN and labels[word] == {label}]
            frequent = sorted((-words[word], word) for word in speaking if words[word] >= SEEN_MIN)
            changes += [{"label": label, "word": word, "add": STEP} for _, word in frequent[:CHANGES_MAX]]
        return changes

    def apply_rule_changes(self, rules, changes, results):
        """The rules with the changes; how sure the results were without them is written down."""
        rules = copy.deepcopy(rules)
        for change in changes:
            weights = rules.setdefault(change["label"], {})
            weights[change["word"]] = weights.get(change["word"], 0.0) + change["add"]
        rate, number = high_confidence_rate(results), len(self.metrics.history("feedback")) + 1
        self.metrics.record("feedback", round=number, high_confidence_rate=rate, changes=len(changes))
        return rules

    def get_improvement_trends(self):
        """How sure the results were, round by round, and where that leads."""
        rates = [record["high_confidence_rate"] for record in self.metrics.history("feedback")]
        change = round(rates[-1] - rates[0], 4) if rates else 0.0
        direction = "improving" if change > 0 else "worsening" if change < 0 else "steady"
        return {"rates": rates, "change": change, "direction": direction}
