"""Notes on what was done and why."""
