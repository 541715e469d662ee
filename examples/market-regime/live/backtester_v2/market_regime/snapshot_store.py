"""Regimes kept between two runs."""
import os
import pickle

from .errors import DataError
from .regimes import Regime


def save(path, regimes):
    """Keeps regimes. The bytes name their class by its module."""
    partial = "%s.partial" % path
    with open(partial, "wb") as file:
        pickle.dump(list(regimes), file, protocol=2)
    os.replace(partial, path)


def load(path):
    """The regimes that were kept, by this version or an earlier one."""
    with open(path, "rb") as file:
        found = pickle.load(file)
    if not all(isinstance(regime, Regime) for regime in found):
        raise DataError("%s holds something else than regimes" % path)
    return found
