"""Kea: addresses asked for and leased by DHCP."""
