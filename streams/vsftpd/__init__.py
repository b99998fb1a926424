"""Parses what vsftpd logs: who logged in by FTP, and what was sent and fetched."""
