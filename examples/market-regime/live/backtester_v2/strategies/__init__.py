"""The strategies, one package each."""
