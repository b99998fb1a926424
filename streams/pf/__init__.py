"""Parses the packets that pf, the filter of the BSDs, pfSense and OPNsense, was told to log."""
