"""The names of the first version: they work, say that they are deprecated, and go after December 31, 2026."""
