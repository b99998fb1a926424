"""Measures what the roles cost and how long a line takes."""
