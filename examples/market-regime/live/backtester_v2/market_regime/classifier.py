"""From three measures to one of eighteen regimes."""
from dataclasses import dataclass, fields

from backtester_v2.market_regime.errors import ConfigError
from backtester_v2.market_regime.regimes import Regime


@dataclass(frozen=True)
class Thresholds:
    """Where one regime ends and the next begins."""

    low_volatility: float = 0.12
    high_volatility: float = 0.22
    bearish: float = -0.6
    bullish: float = 0.6
    trending: float = 0.3

    def __post_init__(self):
        if not self.low_volatility < self.high_volatility:
            raise ConfigError("`low_volatility` is not below `high_volatility`")
        if not self.bearish < self.bullish:
            raise ConfigError("`bearish` is not below `bullish`")


def thresholds_of(sheets):
    """The thresholds of a configuration, from rows of a name and a value."""
    rows = sheets.get("Thresholds", [])
    known = {field.name for field in fields(Thresholds)}
    for row in rows:
        if row["name"] not in known:
            raise ConfigError("there is no threshold `%s`" % row["name"])
    return Thresholds(**{row["name"]: row["value"] for row in rows})


class RegimeClassifier:
    """Says in which regime a day is."""

    def __init__(self, thresholds: "Thresholds" = Thresholds()):
        self.thresholds = thresholds

    def volatility(self, value):
        """The regime of volatility."""
        if value < self.thresholds.low_volatility:
            return "low"
        return "high" if value > self.thresholds.high_volatility else "normal"

    def direction(self, value):
        """The regime of direction."""
        if value < self.thresholds.bearish:
            return "bearish"
        return "bullish" if value > self.thresholds.bullish else "neutral"

    def structure(self, value):
        """The regime of structure."""
        return "trending" if value >= self.thresholds.trending else "ranging"

    def regime(self, volatility, direction, structure):
        """The regime of a day."""
        return Regime(self.volatility(volatility), self.direction(direction), self.structure(structure))
