"""Parses what systemd logs: units that started, stopped and failed."""
