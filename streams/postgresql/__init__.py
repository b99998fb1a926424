"""Parses what PostgreSQL logs: connections, refused logins, errors, slow statements."""
