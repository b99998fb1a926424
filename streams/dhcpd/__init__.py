"""ISC dhcpd and dhclient: who asked for an address, and what was given."""
