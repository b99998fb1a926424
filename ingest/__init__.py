"""Receives logs from the network (HTTP, AMQP) and writes them to the raw topics of Kafka."""
