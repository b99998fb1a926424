"""Counts and orders matches of one group, and opens alerts."""
