"""Parses what Postfix logs: connections, logins, and mail accepted, refused and delivered."""
