"""Parses the logs of nginx: requests and errors."""
