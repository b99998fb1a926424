"""Parses the messages of Dropbear, the SSH server of small devices and initial ramdisks."""
