"""Parses the messages of FreeRADIUS: who was let into the network, by which access server."""
