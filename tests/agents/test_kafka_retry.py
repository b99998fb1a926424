"""Questions that are asked until Kafka answers."""

import logging

import pytest
from confluent_kafka import KafkaError, KafkaException

from agents.runtime.kafka_retry import retry_until_answered

_log = logging.getLogger("ogrewatch.test")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.runtime.kafka_retry.PAUSE", 0.01)


async def test_a_question_is_asked_until_it_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    failures = [KafkaException(KafkaError(KafkaError._TRANSPORT)), KafkaException(KafkaError(KafkaError._TIMED_OUT))]

    def question() -> int:
        if failures:
            raise failures.pop()
        return 7

    assert await retry_until_answered(_log, "look at the topics", question) == 7
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert all(line.startswith("cannot look at the topics yet: ") and "\n" not in line for line in told)


async def test_what_kafka_cannot_mend_is_raised_at_once() -> None:
    def question() -> int:
        raise ValueError("no such partition")

    with pytest.raises(ValueError, match="no such partition"):
        await retry_until_answered(_log, "look at the topics", question)
