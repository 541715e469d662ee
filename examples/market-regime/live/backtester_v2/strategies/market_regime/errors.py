"""What can go wrong."""


class RegimeError(Exception):
    """The base of all errors of this package."""


class ConfigError(RegimeError):
    """A configuration that cannot be used."""


class DataError(RegimeError):
    """Bars that cannot be used."""
