"""Reads messages from a RabbitMQ queue, writes them to raw topics, and acknowledges them when Kafka has them."""
