"""Parses what shadow-utils and adduser log: users, groups and passwords created, changed or deleted."""
