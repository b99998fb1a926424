"""Parses what Pure-FTPd logs: who logged in by FTP, who failed, and what was sent and fetched."""
