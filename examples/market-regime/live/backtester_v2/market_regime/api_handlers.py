"""What the routes of the comprehensive engine answer, without the web around it."""
import importlib

from . import __version__
from .regimes import REGIMES
from .strategy import MarketRegimeStrategy

__all__ = ["latest", "regime_list", "status", "stress_report"]


def status():
    """That it is there, and which version."""
    return {"status": "ok", "engine": "comprehensive", "version_major": int(__version__.split(".")[0]) >= 2}


def regime_list():
    """All regimes, by number."""
    return {"regimes": [{"code": regime.code, "name": regime.name} for regime in REGIMES]}


def latest(bars, sheets, window, confirm_days):
    """The regime of the last day."""
    reading = MarketRegimeStrategy(sheets, window, confirm_days).classify(bars)[-1]
    return {"date": reading.date, "code": reading.regime.code, "name": reading.regime.name}


def stress_report(bars, sheets, window, confirm_days):
    """What the shocks would do."""
    stress = importlib.import_module(".stress", __package__)
    strategy = MarketRegimeStrategy(sheets, window, confirm_days)
    return {"shocks": stress.scenarios(list(bars), strategy)}
