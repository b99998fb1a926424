"""Parses the messages of ISC's dhcpd and dhclient: who asked for an address, and what was given."""
