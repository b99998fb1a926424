"""Parses what ProFTPD logs: who logged in by FTP or SFTP, who failed, and when they left."""
