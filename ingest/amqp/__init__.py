"""Messages of a RabbitMQ queue in, raw records out; acknowledged when Kafka has them."""
