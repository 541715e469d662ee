"""Panels: a regime, as a screen draws it."""
from ..regimes import label


def panel(analysis):
    """The panel of a day."""
    return {
        "date": analysis.date,
        "title": label(analysis.regime),
        "colour": analysis.regime.colour,
        "strength": round(analysis.strength, 4),
    }


def history(analyses, days):
    """The panels of the last days, the latest first."""
    return [panel(analysis) for analysis in analyses[:-days - 1:-1]]
