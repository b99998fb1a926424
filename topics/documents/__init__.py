"""Renders events as ECS documents, as they are in Elasticsearch and on a terminal."""
