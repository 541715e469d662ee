# switchback shim: python.transformation -> pipeline.transformation; since 2026-01-12; remove after 2026-12-31
"""The old name of `pipeline.transformation`. It goes after December 31, 2026."""
import warnings

warnings.warn(
    "`python.transformation` is deprecated and goes after 2026-12-31: use `pipeline.transformation`",
    DeprecationWarning,
    stacklevel=2,
)

from pipeline.transformation import (  # noqa: E402, F401
    build_histories,
    build_history,
    month_end,
    month_ends,
    position,
    to_reporting,
)
