"""Runs an installation under load and faults, and compares what it holds with what it should."""
