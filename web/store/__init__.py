"""Asks Elasticsearch what it holds of events and of closed minutes."""
