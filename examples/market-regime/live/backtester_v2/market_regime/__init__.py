"""Market regimes: the comprehensive engine."""
from .bars import Bar, read_bars
from .classifier import RegimeClassifier, Thresholds
from .errors import ConfigError, DataError, RegimeError
from .excel_config_parser import ExcelConfigParser
from .regimes import REGIMES, Regime, parse
from .strategy import MarketRegimeStrategy, confirm
from .stress import stress_score

__version__ = "2.4.0"

__all__ = [
    "Bar",
    "ConfigError",
    "DataError",
    "ExcelConfigParser",
    "MarketRegimeStrategy",
    "REGIMES",
    "Regime",
    "RegimeClassifier",
    "RegimeError",
    "Thresholds",
    "confirm",
    "parse",
    "read_bars",
    "stress_score",
]
