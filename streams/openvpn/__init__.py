"""OpenVPN: who connected, from where, with which address inside, and who was turned away."""
