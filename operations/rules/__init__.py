"""Checks, tests and explains rules."""
