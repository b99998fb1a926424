"""Parses the logs of MySQL and MariaDB: refused logins, broken connections, errors, slow statements."""
