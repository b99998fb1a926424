"""Parses the logs of MIT Kerberos: who was given tickets, who was not, and what administrators did."""
