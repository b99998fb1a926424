"""Parses the log of dnsmasq: DNS queries and answers, DHCP leases."""
