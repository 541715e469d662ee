"""The monthly analytics of the loan portfolio, first version."""
