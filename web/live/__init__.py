"""Sends what changes to all who look, as server-sent events."""
