"""The components together."""
import tempfile
import unittest

from ai_analysis.notes_manager import NotesManager
from iterative_refinement_system import IterativeRefinementSystem
from tests import fixtures


class Notes(unittest.TestCase):
    def test_notes_are_numbered_and_found_by_topic(self):
        with tempfile.TemporaryDirectory() as folder:
            NotesManager(folder).add("one", "first")
            NotesManager(folder).add("two", "second")
            self.assertEqual(len(NotesManager(folder).notes()), 2)
            self.assertEqual(
                NotesManager(folder).notes("two"), [{"number": 2, "topic": "two", "text": "second"}]
            )


class Workflow(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def refine(self, **options):
        system = IterativeRefinementSystem(fixtures.items(48), fixtures.RULES, self.folder, fixtures.Clock())
        return system.refine(**options)

    def test_results_become_surer_round_by_round(self):
        report = self.refine(rounds=3)
        self.assertEqual(report["trend"]["direction"], "improving")
        self.assertEqual(report["trend"]["rates"], sorted(report["trend"]["rates"]))
        self.assertGreater(report["rules"]["billing"]["refund"], 0.0)

    def test_it_ends_when_nothing_is_left_to_learn(self):
        report = self.refine(rounds=50)
        self.assertLess(report["rounds"], 50)
        self.assertEqual(report["items"], 48 * report["rounds"])

    def test_what_was_done_is_in_the_notes(self):
        self.refine(rounds=2)
        notes = NotesManager(self.folder)
        self.assertEqual(notes.notes("batch")[0]["text"], "batch 1: 10 items, 30 % sure")
        self.assertEqual(len(notes.notes("rules")), 2)
        self.assertRegex(notes.notes("trend")[-1]["text"], r"^improving: \+\d+% sure$")

    def test_a_second_run_goes_on_where_the_first_one_ended(self):
        self.refine(rounds=1)
        self.assertEqual(self.refine(rounds=1)["items"], 96)
