"""Defines what travels through Kafka: the catalogue of topics, events, their Avro encoding, and dead letters."""
