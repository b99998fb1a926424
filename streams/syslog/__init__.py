"""Reads the headers of syslog lines: who wrote a line, and when."""
