"""Kafka records that carry more than an event: provenance, dead letters, replays, closed minutes."""
