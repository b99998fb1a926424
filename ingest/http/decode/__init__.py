"""Turns the bytes of an HTTP body into records."""
