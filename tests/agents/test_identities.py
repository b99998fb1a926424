"""Questions about topics to a Kafka that takes connections and never answers, as one that is stopped does."""

import socket

import pytest
from confluent_kafka import KafkaException

from topics.kafka.topic_ids import identities, partition_counts


def test_no_answer_is_an_error_of_kafka_s_that_can_be_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topics.kafka.topic_ids._TIMEOUT", 1.0)
    monkeypatch.setattr("topics.kafka.topic_ids._GRACE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        servers = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(KafkaException):
            identities(servers, ["raw.syslog"])
        with pytest.raises(KafkaException):
            partition_counts(servers, ["raw.syslog"])
