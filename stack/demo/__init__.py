"""The demonstration corpus: an hour of a fleet's logs, with the truth about it."""
