"""Chance that is the same in every run: a number only depends on what it is for."""

import hashlib


class Chance:
    def __init__(self, seed, year):
        self.prefix = f"{seed}|{year}|"

    def of(self, employee, what):
        digest = hashlib.sha256(f"{self.prefix}{employee}|{what}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48
