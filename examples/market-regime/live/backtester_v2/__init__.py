"""Backtests of option strategies."""
