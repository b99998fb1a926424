"""Apache's web server: what was asked of it, and what went wrong."""
