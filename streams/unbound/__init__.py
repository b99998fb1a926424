"""Parses what Unbound logs: names asked for and answered, and its state."""
