"""Parses the main log of Exim: mails accepted, delivered and refused, and logins to send them."""
