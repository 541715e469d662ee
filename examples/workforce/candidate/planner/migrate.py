"""Brings what the monolith left into the form of version 2: python3 -m planner.migrate FROM TO"""

import json
import os
import shutil
import sys

from .checkpoints import Checkpoints
from .people import Entry, Person


def migrate(source, target):
    shutil.copy(os.path.join(source, "simulation.db"), target)
    checkpoints = Checkpoints(os.path.join(target, "checkpoints"))
    folder = os.path.join(source, "checkpoints")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            old = json.load(file)
        people = {employee: Person(*person) for employee, person in old["workforce"].items()}
        registry = {employee: Entry(*entry) for employee, entry in old["registry"].items()}
        checkpoints.save(old["year"], people, registry, old["headcount"])


if __name__ == "__main__":
    migrate(sys.argv[1], sys.argv[2])
