"""Market regimes: the engine behind the screens."""
from .bars import Bar, read_bars
from .errors import ConfigError, DataError, RegimeError
from .excel_config_parser import ExcelConfigParser
from .regimes import REGIMES, Regime, label
from .sheets import write_workbook
from .strategy import Analysis, MarketRegimeStrategy, confirm
from .transitions import matrix
from .validation import findings

__version__ = "3.1.0"

__all__ = [
    "Analysis",
    "Bar",
    "ConfigError",
    "DataError",
    "ExcelConfigParser",
    "MarketRegimeStrategy",
    "REGIMES",
    "Regime",
    "RegimeError",
    "confirm",
    "findings",
    "label",
    "matrix",
    "read_bars",
    "write_workbook",
]
