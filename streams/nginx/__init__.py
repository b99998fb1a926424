"""nginx: what was asked of it."""
