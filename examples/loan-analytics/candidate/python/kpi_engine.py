# switchback shim: python.kpi_engine -> pipeline.calculation; since 2026-01-12; remove after 2026-12-31
"""The old name of `pipeline.calculation`. It goes after December 31, 2026."""
import warnings

warnings.warn(
    "`python.kpi_engine` is deprecated and goes after 2026-12-31: use `pipeline.calculation`",
    DeprecationWarning,
    stacklevel=2,
)

from pipeline.calculation import (  # noqa: E402, F401
    aging_buckets,
    alerts,
    bucket_names,
    loan_status,
    monthly_kpis,
    portfolio_summary,
    segment_kpis,
    segment_monthly,
    share,
)
