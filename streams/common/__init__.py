"""Formats and values that several streams share."""
