"""Parses what Zeek saw on the network: the JSON records of its logs."""
