"""Parses the log of BIND: queries, refused clients, zone transfers, failed answers."""
