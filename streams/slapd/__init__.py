"""Parses what OpenLDAP's server logs: who bound, from where, and what they looked up or changed."""
