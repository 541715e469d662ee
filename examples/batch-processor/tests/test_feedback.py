"""What is learnt from results that are not sure."""
import tempfile
import unittest

from batch_processor.feedback_loop import FeedbackLoopManager
from batch_processor.processor import BatchProcessor
from tests import fixtures


class Feedback(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.feedback = FeedbackLoopManager(folder.name)
        self.items = fixtures.items(24)

    def propose(self, rules):
        results = BatchProcessor(rules).process(self.items)
        return results, self.feedback.propose_rule_changes(self.items, results)

    def test_words_of_unsure_items_are_proposed(self):
        _, changes = self.propose(fixtures.RULES)
        self.assertEqual(
            sorted((change["label"], change["word"]) for change in changes),
            [
                ("account", "after"),
                ("account", "login"),
                ("billing", "amount"),
                ("billing", "refund"),
                ("delivery", "courier"),
                ("delivery", "package"),
            ],
        )

    def test_words_of_several_labels_are_not(self):
        _, changes = self.propose(fixtures.RULES)
        self.assertNotIn("wrong", [change["word"] for change in changes])

    def test_rule_changes_are_applied_to_a_copy(self):
        results, changes = self.propose(fixtures.RULES)
        rules = self.feedback.apply_rule_changes(fixtures.RULES, changes, results)
        self.assertEqual(rules["billing"]["refund"], 1.0)
        self.assertEqual(rules["billing"]["invoice"], 2.0)
        self.assertEqual(fixtures.RULES["billing"], {"invoice": 2.0})

    def test_trends_tell_every_round(self):
        rules = fixtures.RULES
        for _ in range(3):
            results, changes = self.propose(rules)
            rules = self.feedback.apply_rule_changes(rules, changes, results)
        trends = self.feedback.get_improvement_trends()
        self.assertEqual(len(trends["rates"]), 3)
        self.assertEqual(trends["direction"], "improving")
        self.assertGreater(trends["change"], 0.5)

    def test_no_round_has_no_trend(self):
        self.assertEqual(
            self.feedback.get_improvement_trends(), {"rates": [], "change": 0.0, "direction": "steady"}
        )
