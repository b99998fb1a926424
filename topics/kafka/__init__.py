"""Kafka's clients: their settings, topics, and what is read of them outside the stream."""
