"""Cisco ASA and FTD: connections, refusals, logins and VPN sessions of the firewalls. IOS: logins, lists, links."""
