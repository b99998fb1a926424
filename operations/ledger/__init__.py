"""Accounts for every record between the raw topics and Elasticsearch."""
