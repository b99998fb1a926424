"""What an event is in Elasticsearch and on a terminal: an ECS document."""
