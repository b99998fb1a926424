"""Parses what systemd-logind logs: sessions, seats, and who pressed the power key."""
