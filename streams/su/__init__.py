"""Parses what su logs: who became whom, and who was refused."""
