"""What the routes of the screens answer, without the web around it."""
from backtester_v2.market_regime.stress import stress_score

from ....market_regime.calculator import Calculator
from ..strategy import DEFAULT_WINDOW, MarketRegimeStrategy
from ..ui import panels


def overview(bars):
    """The panel of the last day, and the stress of the comprehensive engine beside it."""
    analyses = MarketRegimeStrategy().analyse(bars)
    return {"panel": panels.panel(analyses[-1]), "stress": round(stress_score(bars, DEFAULT_WINDOW), 4)}


def past(bars, days):
    """The panels of the last days."""
    return {"panels": panels.history(MarketRegimeStrategy().analyse(bars), days)}


def performance(bars):
    """What it would have earned."""
    strategy = MarketRegimeStrategy()
    analyses = strategy.analyse(bars)
    closes = {bar.date: bar.close for bar in bars}
    calculator = Calculator(
        [strategy.exposure(analysis.regime) for analysis in analyses],
        [closes[analysis.date] for analysis in analyses],
    )
    return {"total": calculator.total(), "sharpe": calculator.sharpe()}
