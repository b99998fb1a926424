"""Parses the messages of Kea's DHCP servers: addresses asked for and leased."""
