"""What screens show."""
from .panels import panel

__all__ = ["panel"]
