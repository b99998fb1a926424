"""Parses what login logs: who logged in on a terminal, and who failed."""
