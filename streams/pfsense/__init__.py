"""Parses what pfSense and OPNsense log of their web interface: logins and changes."""
