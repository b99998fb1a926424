"""Parses formats, and holds values, that several streams share."""
