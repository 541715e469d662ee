"""What was not sure becomes new rules, and how much that helps is written down round by round."""
import copy

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

    def collect_low_confidence(self, items, results):
        """The items whose results are not sure."""
        unsure = {result["id"] for result in results if result["confidence"] < HIGH_CONFIDENCE}
        return [item for item in items if item["id"] in unsure]

    def count_words(self, items):
        """In how many items each word is: {label: {word: count}}."""
        counts = {}
        for item in items:
            of_label = counts.setdefault(item["label"], {})
            for word in set(item["text"].lower().split()):
                of_label[word] = of_label.get(word, 0) + 1
        return counts

    def rank_words(self, unsure, every, label):
        """The words of unsure items that speak for one label alone, the most frequent first."""
        elsewhere = {word for other, words in every.items() if other != label for word in words}
        counts = unsure.get(label, {})
        speaking = [
            word
            for word, count in counts.items()
            if count >= SEEN_MIN and len(word) >= LETTERS_MIN and word not in elsewhere
        ]
        return sorted(speaking, key=lambda word: (-counts[word], word))

    def propose_rule_changes(self, items, results):
        """Words that should count more, and for which label."""
        unsure = self.count_words(self.collect_low_confidence(items, results))
        every = self.count_words(items)
        changes = []
        for label in sorted(unsure):
            for word in self.rank_words(unsure, every, label)[:CHANGES_MAX]:
                changes.append({"label": label, "word": word, "add": STEP})
        return changes

    def apply_rule_changes(self, rules, changes, results):
        """The rules with the changes; how sure the results were without them is written down."""
        rules = copy.deepcopy(rules)
        for change in changes:
            weights = rules.setdefault(change["label"], {})
            weights[change["word"]] = weights.get(change["word"], 0.0) + change["add"]
        self.metrics.record(
            "feedback",
            round=len(self.metrics.history("feedback")) + 1,
            high_confidence_rate=high_confidence_rate(results),
            changes=len(changes),
        )
        return rules

    def get_improvement_trends(self):
        """How sure the results were, round by round, and where that leads."""
        rates = [record["high_confidence_rate"] for record in self.metrics.history("feedback")]
        change = round(rates[-1] - rates[0], 4) if rates else 0.0
        return {"rates": rates, "change": change, "direction": self.direction_of(change)}

    def direction_of(self, change):
        """A change in a word."""
        if change > 0:
            return "improving"
        return "worsening" if change < 0 else "steady"
