"""Parses the access and error logs of Apache's web server."""
