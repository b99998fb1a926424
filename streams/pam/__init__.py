"""Parses what PAM's modules log, under any program."""
