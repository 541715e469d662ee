"""The measures of the screens."""
from . import trend, volatility

__all__ = ["trend", "volatility"]
