"""Figures of the work, kept on the disk."""
