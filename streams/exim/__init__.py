"""Exim: mails taken, delivered and refused, and logins to send them."""
