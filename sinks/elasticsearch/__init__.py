"""Writes documents to Elasticsearch, and installs its index templates."""
