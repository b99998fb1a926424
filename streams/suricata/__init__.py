"""Parses what Suricata saw on the network: its EVE records and the alerts of fast.log."""
