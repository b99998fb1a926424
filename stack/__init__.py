"""An embedded Kafka and Elasticsearch for development, demonstration and tests."""
