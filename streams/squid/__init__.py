"""Parses what Squid logs: what its users requested, and how it was served."""
