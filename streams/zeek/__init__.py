"""What Zeek saw on the network: the records of its logs, as JSON."""
