# switchback shim: python.ingestion -> pipeline.ingestion; since 2026-01-12; remove after 2026-12-31
"""The old name of `pipeline.ingestion`. It goes after December 31, 2026."""
import warnings

warnings.warn(
    "`python.ingestion` is deprecated and goes after 2026-12-31: use `pipeline.ingestion`",
    DeprecationWarning,
    stacklevel=2,
)

from pipeline import configuration  # noqa: E402
from pipeline.ingestion import (  # noqa: E402, F401
    IngestionError,
    parse_count,
    parse_date,
    parse_money,
    parse_rate,
    read_loans,
    read_payments,
)


def load_settings(folder):
    """The settings of the environment that `PIPELINE_ENV` names."""
    return configuration.load(folder=folder)
