"""Items, rules and a clock that are the same each time."""

RULES = {
    "account": {"password": 2.0},
    "billing": {"invoice": 2.0},
    "delivery": {"parcel": 2.0},
}
TEXTS = {
    "account": [
        "password forgotten again",
        "cannot login since update",
        "username wrong after login",
        "login page empty",
    ],
    "billing": [
        "invoice with wrong amount",
        "refund still missing",
        "charged twice want refund",
        "refund amount wrong",
    ],
    "delivery": [
        "parcel never arrived",
        "courier left package outside",
        "package damaged",
        "courier lost package",
    ],
}
FILLERS = ["please help", "hello", "urgent", "thanks"]


def items(count):
    """So many items, each with the label that is known afterwards."""
    made = []
    for number in range(count):
        label = sorted(TEXTS)[number % 3]
        text = TEXTS[label][number // 3 % 4]
        made.append({"id": f"item-{number + 1:03}", "text": f"{text} {FILLERS[number % 4]}", "label": label})
    return made


def history(count, size=10, rate=0.8, seconds=0.1, stability=0.95):
    """The figures of so many batches that went alike."""
    row = {
        "batch_size": size,
        "high_confidence_rate": rate,
        "avg_processing_time": seconds,
        "stability_score": stability,
    }
    return [dict(row, batch=number + 1) for number in range(count)]


class Clock:
    """A clock that goes on by 0.25 seconds whenever it is looked at."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.25
        return self.now
