"""Which size the next batch gets."""
import tempfile
import unittest

from batch_processor.dynamic_scaling_controller import DynamicScalingController
from tests import fixtures


class Scaling(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.controller = DynamicScalingController(folder.name)

    def size(self, history):
        return self.controller.evaluate(history)["size"]

    def test_a_short_history_changes_nothing(self):
        self.assertEqual(self.controller.evaluate([]), {"size": 10, "reason": "the history says too little"})
        self.assertEqual(self.size(fixtures.history(2)), 10)

    def test_what_goes_well_grows(self):
        self.assertEqual(self.size(fixtures.history(3)), 12)

    def test_poor_results_halve_the_size(self):
        self.assertEqual(self.size(fixtures.history(3, rate=0.4)), 5)

    def test_what_is_neither_poor_nor_stable_stays(self):
        self.assertEqual(self.size(fixtures.history(3, stability=0.5)), 10)

    def test_the_most_efficient_size_is_taken(self):
        history = fixtures.history(3, size=8, seconds=0.1) + fixtures.history(3, size=10, seconds=0.2)
        self.assertEqual(self.size(history), 8)

    def test_no_step_is_larger_than_twice_the_size(self):
        history = fixtures.history(3, size=50, seconds=0.01) + fixtures.history(3)
        self.assertEqual(self.size(history), 20)

    def test_no_batch_takes_longer_than_half_a_minute(self):
        decision = self.controller.evaluate(fixtures.history(3, seconds=4.0))
        self.assertEqual(decision, {"size": 7, "reason": "a larger batch would take too long"})

    def test_decisions_are_kept_and_gone_on_with(self):
        for row in fixtures.history(3):
            self.controller.metrics.record("batches", **row)
        self.assertEqual(self.controller.next_size(100), 12)
        self.assertEqual(self.controller.metrics.history("scaling")[0]["reason"], "larger is better")
        self.assertEqual(DynamicScalingController(self.folder).size, 12)

    def test_no_batch_is_larger_than_what_is_left(self):
        self.assertEqual(self.controller.next_size(3), 3)
