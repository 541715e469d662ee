"""The eighteen regimes: three of volatility, three of direction, two of structure."""
from dataclasses import dataclass

from .errors import ConfigError

VOLATILITIES = ("low", "normal", "high")
DIRECTIONS = ("bearish", "neutral", "bullish")
STRUCTURES = ("ranging", "trending")


@dataclass(frozen=True)
class Regime:
    """A regime of the market."""

    volatility: str
    direction: str
    structure: str

    @property
    def code(self):
        """Its number, 1 to 18."""
        place = VOLATILITIES.index(self.volatility) * 3 + DIRECTIONS.index(self.direction)
        return place * 2 + STRUCTURES.index(self.structure) + 1

    @property
    def name(self):
        """Its name, as reports print it."""
        return "%s-%s-%s" % (self.volatility, self.direction, self.structure)

    def is_extreme(self):
        """Whether to stand aside: much volatility, and down."""
        return self.volatility == "high" and self.direction == "bearish"


REGIMES = tuple(
    Regime(volatility, direction, structure)
    for volatility in VOLATILITIES
    for direction in DIRECTIONS
    for structure in STRUCTURES
)


def by_code(code):
    """The regime of a number."""
    if not 1 <= code <= len(REGIMES):
        raise ConfigError("there is no regime %r" % code)
    return REGIMES[code - 1]


def parse(name):
    """The regime of a name.

    >>> parse("low-bullish-trending").code
    6
    """
    for regime in REGIMES:
        if regime.name == name:
            return regime
    raise ConfigError("there is no regime `%s`" % name)
