"""Parses the log of HAProxy: requests and connections that it passed on or refused, and the state of its servers."""
