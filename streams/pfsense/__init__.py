"""pfSense and OPNsense: logins to the web interface, changes made in it."""
