"""Records that carry a log line: what relays, shippers and collectors write around it as JSON."""
