"""Shows how a raw line became an event: where it came from, what was read of it, and where it is now."""
