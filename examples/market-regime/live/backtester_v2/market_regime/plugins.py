"""The measures that can be switched on by name."""
import importlib

from .errors import ConfigError

NAMES = ("breadth", "sentiment")


def load(name):
    """The function of a measure."""
    if name not in NAMES:
        raise ConfigError("there is no measure `%s`; there are %s" % (name, ", ".join(NAMES)))
    return importlib.import_module(f"backtester_v2.market_regime.comprehensive_{name}").measure
