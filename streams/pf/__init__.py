"""pf: the packets that the filter of the BSDs, pfSense and OPNsense was told to log."""
