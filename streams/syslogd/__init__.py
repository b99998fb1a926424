"""Parses what syslog daemons log about themselves: starts, dropped messages, repeated messages."""
