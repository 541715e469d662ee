"""What is on the disk after the work."""
import json
import pathlib
import tempfile
import unittest

from batch_processor.batch_manager import BatchManager
from batch_processor.dynamic_scaling_controller import DynamicScalingController
from batch_processor.processor import BatchProcessor
from progress_tracking.metrics_collector import MetricsCollector
from tests import fixtures


class Progress(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def manager(self):
        controller = DynamicScalingController(self.folder)
        return BatchManager(BatchProcessor(fixtures.RULES), controller, self.folder, fixtures.Clock())

    def test_every_item_is_done_once(self):
        results = self.manager().run(fixtures.items(47))
        self.assertEqual(len({result["id"] for result in results}), 47)
        self.assertEqual(len(results), 47)

    def test_progress_is_persisted_batch_by_batch(self):
        self.manager().run(fixtures.items(25))
        records = json.loads(pathlib.Path(self.folder, "metrics", "progress.json").read_text(encoding="utf-8"))
        self.assertEqual([(one["batch"], one["items"]) for one in records], [(1, 10), (2, 10), (3, 5)])

    def test_who_starts_later_goes_on_counting(self):
        self.manager().run(fixtures.items(25))
        tracker = self.manager().tracker
        self.assertEqual((tracker.batches(), tracker.completed()), (3, 25))

    def test_every_batch_leaves_its_figures(self):
        self.manager().run(fixtures.items(20))
        first, second = MetricsCollector(self.folder).history("batches")
        self.assertEqual((first["batch_size"], first["avg_processing_time"]), (10, 0.025))
        self.assertEqual(first["stability_score"], 1.0)
        change = abs(second["high_confidence_rate"] - first["high_confidence_rate"])
        self.assertAlmostEqual(second["stability_score"], 1.0 - change)

    def test_the_last_records_can_be_had_alone(self):
        collector = MetricsCollector(self.folder)
        for number in range(5):
            collector.record("numbers", number=number)
        self.assertEqual([one["number"] for one in collector.history("numbers", last=2)], [3, 4])
        self.assertEqual(collector.history("nothing"), [])
