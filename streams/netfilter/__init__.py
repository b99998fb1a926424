"""Parses the packets that iptables, nftables and ufw were told to log."""
