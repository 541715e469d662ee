"""Labels and confidence."""
import unittest

from batch_processor.processor import BatchProcessor, high_confidence_rate
from tests import fixtures


class Processor(unittest.TestCase):
    def label(self, text):
        return BatchProcessor(fixtures.RULES).label({"id": "one", "text": text})

    def test_what_a_rule_knows_is_sure(self):
        self.assertEqual(self.label("Invoice lost"), {"id": "one", "label": "billing", "confidence": 0.8})

    def test_what_no_rule_knows_has_no_confidence(self):
        self.assertEqual(self.label("something else")["confidence"], 0.0)

    def test_what_speaks_for_two_labels_is_not_sure(self):
        self.assertLess(self.label("invoice for parcel")["confidence"], 0.5)

    def test_results_come_in_the_order_of_the_items(self):
        items = fixtures.items(9)
        results = BatchProcessor(fixtures.RULES).process(items)
        self.assertEqual([result["id"] for result in results], [item["id"] for item in items])

    def test_the_rate_is_the_share_of_sure_results(self):
        self.assertEqual(high_confidence_rate([{"confidence": 0.7}, {"confidence": 0.69}]), 0.5)
        self.assertEqual(high_confidence_rate([]), 0.0)
