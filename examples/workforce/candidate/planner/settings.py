"""What a simulation is told: read from a file, checked before anything is written."""

import json
import os
from dataclasses import dataclass

RATES = ["termination_rate", "promotion_rate", "enrollment_rate", "merit_rate"]


class Refused(Exception):
    """The input cannot be simulated; the message says why."""


@dataclass(frozen=True)
class Settings:
    seed: int
    census: str
    target_growth_rate: float
    termination_rate: float
    promotion_rate: float
    enrollment_rate: float
    merit_rate: float

    @classmethod
    def load(cls, path, growth=None):
        name = os.path.basename(path)
        try:
            with open(path) as file:
                found = json.load(file)
        except OSError as error:
            raise Refused(f"the configuration {name} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise Refused(f"the configuration {name} is no JSON") from error
        fields = ["seed", "census", "target_growth_rate"] + RATES
        for field in fields:
            if field not in found:
                raise Refused(f"the configuration {name} lacks {field}")
        chosen = {field: found[field] for field in fields}
        if growth is not None:
            chosen["target_growth_rate"] = growth
        return cls(**chosen)

    def check(self, start, end):
        for name in RATES:
            if not 0 <= getattr(self, name) <= 1:
                raise Refused(f"{name} must be between 0 and 1, not {getattr(self, name)}")
        if not -0.5 <= self.target_growth_rate <= 0.5:
            raise Refused(f"target_growth_rate must be between -0.5 and 0.5, not {self.target_growth_rate}")
        if end < start:
            raise Refused(f"the last year, {end}, is before the first one, {start}")
