"""Checks, tests and lists rules."""
