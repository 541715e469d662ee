"""Has one component do what it is for, and ends with 1 and the reason when it does not.

    PYTHONPATH=src python3 -B -m checks.component scaling|history|decisions|prediction|notes|feedback|workflow OUT

What it writes is below the folder OUT. What was merged is taken from where it is: before the merge, or after it.
"""
import json
import sys

from tests import fixtures


def expect(what, found, wanted):
    """Ends with the reason unless it is so."""
    if found != wanted:
        sys.exit(f"{what}: {found!r}, and not {wanted!r}")


def scaling(out):
    """The controller starts, evaluates, and remembers what it decided."""
    from batch_processor.dynamic_scaling_controller import DynamicScalingController

    controller = DynamicScalingController(out)
    expect("the size of the first batch", controller.next_size(100), 10)
    for row in fixtures.history(3):
        controller.metrics.record("batches", **row)
    expect("the size after three good batches", controller.next_size(100), 12)
    expect("the size that is remembered", DynamicScalingController(out).size, 12)


def history(_):
    """The code finds what the data is declared to hold."""
    from progress_tracking.metrics_collector import MetricsCollector

    with open("checks/records.json", encoding="utf-8") as file:
        declared = json.load(file)
    for name, least in declared.items():
        found = len(MetricsCollector("data").history(name))
        if found < least:
            sys.exit(f"of {name}, {found} records are found, and not {least}")


def decisions(out):
    """The size of the next batch follows from how the last ones went."""
    from batch_processor.dynamic_scaling_controller import DynamicScalingController

    controller = DynamicScalingController(out)
    for what, figures, size in [
        ("good batches", {}, 12),
        ("poor batches", {"rate": 0.4}, 5),
        ("batches that swing", {"stability": 0.5}, 10),
        ("batches that take long", {"seconds": 4.0}, 7),
    ]:
        expect(f"the size after {what}", controller.evaluate(fixtures.history(3, **figures))["size"], size)


def prediction(_):
    """Whoever predicts answers all four questions."""
    try:
        from batch_processor.scaling_predictor import ScalingPredictor as Predictor
    except ModuleNotFoundError:
        from batch_processor.scaling_manager import ScalingManager as Predictor
    rows = fixtures.history(3) + fixtures.history(3, size=20, rate=0.9)
    for method, arguments, wanted in [
        ("predict_optimal_batch_size", (rows, 20), 25),
        ("should_scale_now", (rows,), True),
        ("analyze_batch_size_efficiency", (rows,), {10: 8.0, 20: 9.0}),
        ("predict_processing_time", (rows, 30), 3.0),
    ]:
        if not hasattr(Predictor, method):
            sys.exit(f"{Predictor.__name__} has no method {method}")
        found = getattr(Predictor(), method)(*arguments)
        rounded = {key: round(value, 9) for key, value in found.items()} if isinstance(found, dict) else round(found, 9)
        expect(method, rounded, wanted)


def notes(out):
    """Batches, rules and trends are logged."""
    from ai_analysis.notes_manager import NotesManager

    log = manager = NotesManager(out)
    try:
        from ai_analysis.notes_integration import NotesIntegration

        log = NotesIntegration(manager)
    except ModuleNotFoundError:
        pass
    for method in ("log_batch", "log_rule_changes", "log_trend"):
        if not hasattr(log, method):
            sys.exit(f"{type(log).__name__} has no method {method}")
    log.log_batch({"batch": 1, "batch_size": 10, "high_confidence_rate": 0.8})
    log.log_rule_changes(1, [{"label": "billing", "word": "refund", "add": 1.0}])
    log.log_trend({"direction": "improving", "change": 0.25})
    expect(
        "the notes",
        [note["text"] for note in manager.notes()],
        ["batch 1: 10 items, 80 % sure", "round 1: refund for billing", "improving: +25% sure"],
    )


def feedback(out):
    """What was not sure becomes rules, and the trend says what that brought."""
    from batch_processor.feedback_loop import FeedbackLoopManager
    from batch_processor.processor import BatchProcessor

    manager, items, rules = FeedbackLoopManager(out), fixtures.items(24), fixtures.RULES
    for method in ("apply_rule_changes", "get_improvement_trends"):
        if not hasattr(manager, method):
            sys.exit(f"{type(manager).__name__} has no method {method}")
    for _ in range(2):
        results = BatchProcessor(rules).process(items)
        rules = manager.apply_rule_changes(rules, manager.propose_rule_changes(items, results), results)
    expect("what counts for billing", rules["billing"]["refund"], 2.0)
    expect("the trend", manager.get_improvement_trends()["direction"], "improving")


def workflow(out):
    """The whole system refines its rules until nothing is left to learn."""
    from ai_analysis.notes_manager import NotesManager
    from iterative_refinement_system import IterativeRefinementSystem

    system = IterativeRefinementSystem(fixtures.items(72), fixtures.RULES, out, fixtures.Clock())
    report = system.refine(rounds=5)
    expect("the trend", report["trend"]["rates"], [0.25, 0.5833, 1.0])
    expect("items that were done", report["items"], 3 * 72)
    expect("rounds in the notes", len(NotesManager(out).notes("rules")), 3)


COMPONENTS = (scaling, history, decisions, prediction, notes, feedback, workflow)


def main(arguments):
    asked = {component.__name__: component for component in COMPONENTS}
    if len(arguments) != 2 or arguments[0] not in asked:
        sys.exit(__doc__)
    asked[arguments[0]](arguments[1])
    print(f"{arguments[0]}: as it should be")


if __name__ == "__main__":
    main(sys.argv[1:])
