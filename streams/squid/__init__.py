"""Squid: what its users asked of the web, and how it was served."""
