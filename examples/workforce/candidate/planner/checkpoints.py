"""Checkpoints: the state after each year, in version 2 of their format."""

import json
import os

from .people import Entry, Person

VERSION = 2


class Checkpoints:
    def __init__(self, folder):
        self.folder = folder

    def save(self, year, workforce, registry, headcount):
        os.makedirs(self.folder, exist_ok=True)
        state = {
            "version": VERSION,
            "year": year,
            "headcount_at_start": headcount,
            "people": {name: vars(person) for name, person in workforce.items()},
            "registry": {name: vars(entry) for name, entry in registry.items()},
        }
        part = os.path.join(self.folder, "part")
        with open(part, "w") as file:
            json.dump(state, file)
        os.replace(part, os.path.join(self.folder, f"{year}.v{VERSION}.json"))

    def last(self):
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        names = sorted(name for name in names if name.endswith(f".v{VERSION}.json"))
        if not names:
            return None
        with open(os.path.join(self.folder, names[-1])) as file:
            state = json.load(file)
        state["people"] = {name: Person(**person) for name, person in state["people"].items()}
        state["registry"] = {name: Entry(**entry) for name, entry in state["registry"].items()}
        return state
