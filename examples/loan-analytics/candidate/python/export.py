# switchback shim: python.export -> pipeline.output; since 2026-01-12; remove after 2026-12-31
"""The old name of `pipeline.output`. It goes after December 31, 2026."""
import warnings

warnings.warn(
    "`python.export` is deprecated and goes after 2026-12-31: use `pipeline.output`",
    DeprecationWarning,
    stacklevel=2,
)

from pipeline.configuration import fill_text as fill  # noqa: E402, F401
from pipeline.output import cell, export, write_document, write_table  # noqa: E402, F401
