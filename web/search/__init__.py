"""Searches events: a small language, what it means in Elasticsearch, and what it means for an event in memory."""
