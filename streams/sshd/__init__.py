"""Parses what OpenSSH's server logs: logins, attempts, and connections that end."""
