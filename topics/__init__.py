"""What travels through Kafka: the catalogue of topics, the event, its Avro schemas and codec, dead letters."""
