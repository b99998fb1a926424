"""Elasticsearch: bulk indexing, index templates."""
