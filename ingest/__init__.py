"""From the network to raw topics."""
