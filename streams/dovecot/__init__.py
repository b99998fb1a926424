"""Parses the log of dovecot: who reads mail, from where, and who is refused."""
