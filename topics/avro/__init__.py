"""What an event is in Kafka: Avro schemas, the wire format, and their code."""
