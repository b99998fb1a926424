"""What Suricata saw on the network: its EVE records."""
