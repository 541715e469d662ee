"""The regimes over HTTP."""
