"""Writes single records for people: a rule set, a silence, an act. What writes many has a producer of its own."""

from confluent_kafka import KafkaError, KafkaException, Producer

from topics.errors import KafkaUnavailable
from topics.kafka.client import client_conf

_LIMIT = 5.0  # seconds that Kafka has to confirm a record


def publish(servers: str, topic: str, key: bytes, value: bytes | None) -> None:
    """Write a record; it is on all replicas in sync when this returns. Blocks for five seconds at most.

    Raises `KafkaUnavailable` when nobody confirms it (it may arrive nevertheless), `AccessRefused` for wrong settings.
    """
    failed: list[KafkaError | None] = [KafkaError(KafkaError._TIMED_OUT)]
    producer = Producer({
        **client_conf(servers), "acks": "all", "enable.idempotence": True, "message.timeout.ms": int(_LIMIT * 1000),
        "message.max.bytes": 9 << 20, "log_level": 0,
    })  # fmt: skip

    def delivered(error: KafkaError | None, _: object) -> None:
        failed[0] = error

    try:
        producer.produce(topic, value, key, on_delivery=delivered)
        producer.flush(_LIMIT + 0.5)
    except (KafkaException, BufferError) as error:
        raise KafkaUnavailable(f"Kafka at {servers} does not take the record: {error}.") from None
    if failed[0] is not None:
        raise KafkaUnavailable(f"Kafka at {servers} has not taken the record: {failed[0].str()}.")
