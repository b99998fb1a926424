"""dnsmasq: names asked for and answered, addresses leased."""
