"""Phase `merge-notes`: every component works, and the system hands one of them its arguments the wrong way round."""
import sys

sys.dont_write_bytecode = True
from plant import plant

plant(
    "src/iterative_refinement_system.py",
    "self.feedback.propose_rule_changes(self.items, results)",
    "self.feedback.propose_rule_changes(results, self.items)",
)
