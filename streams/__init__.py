"""Parses raw lines into events: syslog headers, envelopes, and one folder for each log stream."""
