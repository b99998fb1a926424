"""Parses the access log of 389 Directory Server: who bound, from where, and what they looked up or changed."""
