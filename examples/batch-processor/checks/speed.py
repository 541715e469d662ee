"""Measures 200 evaluations of the scaling controller, and ends with 1 when they take too long.

    PYTHONPATH=src python3 -B -m checks.speed OUT

Each is measured against its bare arithmetic on the same records, right beside it: so the budget means the same on every
machine, and on a busy one. The median of all counts.
"""
import statistics
import sys
import time

from tests import fixtures

EVALUATIONS = 200
# How many times its arithmetic one took when the budget was set, and how many times that is allowed.
USUAL = 1.1
BUDGET = 1.5


def arithmetic(rows):
    """The yardstick: the most efficient size, and how long such a batch takes."""
    done, total = {}, {}
    for row in rows:
        size = row["batch_size"]
        done[size] = done.get(size, 0.0) + size * row["high_confidence_rate"]
        total[size] = total.get(size, 0.0) + size * row["avg_processing_time"]
    efficiency = {size: done[size] / total[size] for size in sorted(done)}
    best = max(efficiency, key=lambda size: efficiency[size])
    weight, seconds, weights = 1.0, 0.0, 0.0
    for row in reversed(rows):
        seconds += weight * row["avg_processing_time"]
        weights += weight
        weight *= 0.9
    return best, best * seconds / weights


def seconds(act, rows):
    started = time.perf_counter()
    act(rows)
    return time.perf_counter() - started


def main(arguments):
    from batch_processor.dynamic_scaling_controller import DynamicScalingController

    if len(arguments) != 1:
        sys.exit(__doc__)
    controller = DynamicScalingController(arguments[0])
    rows = [row for size in range(10, 40) for row in fixtures.history(4, size=size)]
    times = [seconds(controller.evaluate, rows) / seconds(arithmetic, rows) for _ in range(EVALUATIONS)]
    usual = statistics.median(times) / USUAL
    said = f"{EVALUATIONS} evaluations take {usual:.0%} of what is usual"
    if usual > BUDGET:
        sys.exit(f"{said}, and at most {BUDGET:.0%} is allowed")
    print(said)


if __name__ == "__main__":
    main(sys.argv[1:])
