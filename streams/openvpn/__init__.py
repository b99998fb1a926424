"""Parses what OpenVPN logs: who connected, from where, with which address inside, and who was refused."""
