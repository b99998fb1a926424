"""Parses the messages of Cisco's firewalls (ASA, FTD, PIX, FWSM) and of IOS, IOS XE and NX-OS."""
