"""Syslog daemons about themselves: that they started, dropped messages, or saw one again."""
