"""Parses the records of Linux audit, which the kernel and trusted programs write."""
