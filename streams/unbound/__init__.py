"""Unbound: names asked for and answered, and its state."""
