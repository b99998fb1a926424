"""Reads the JSON envelopes that relays, shippers and collectors put around a log line."""
