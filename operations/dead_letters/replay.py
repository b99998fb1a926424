"""Sends the records of letters again and writes the decisions on them, both or neither.

A decision and the record it sends are written in one Kafka transaction, and a later run fences off an earlier one that
still goes on. So a letter is sent again exactly once, whichever process or server fails.
https://kafka.apache.org/documentation/#semantics
"""

import logging
from collections.abc import Iterable, Sequence

from confluent_kafka import KafkaException, Producer

from agents.settings import Settings
from operations.dead_letters.mailbox import REPLAYED, Place, decision
from topics.catalogue import DEADLETTER, DECISIONS, MAX_RECORD, RAW, REPLAY
from topics.kafka.client import client_conf
from topics.records.deadletter import DeadLetter
from topics.records.replay import origin_header, recount_header, without_recount_header

_TIMEOUT = 60.0  # seconds for each step of a transaction
_MOST = 1000  # the most letters in one transaction
_ENVELOPE = 128 << 10  # bytes for headers, in addition to the largest record

_QUIET = logging.getLogger("ogrewatch.deadletter")  # discards what librdkafka logs: it is raised as well
_QUIET.setLevel(logging.CRITICAL + 1)


class Decider:
    """Decides on letters in the name of `by`. A new one fences off all others. Blocks; raises `KafkaException`.

    Read the existing decisions after making it: until then another one may decide.
    """

    def __init__(self, settings: Settings, by: str) -> None:
        self._prefix, self._by = settings.prefix, by
        self._raw = {settings.prefix + topic.name for topic in RAW}
        self._producer = Producer(
            {
                **client_conf(settings.kafka),
                "transactional.id": f"{settings.prefix}ogrewatch-{DEADLETTER.name}",
                "message.max.bytes": MAX_RECORD + _ENVELOPE,
                "compression.type": "lz4",
            },
            logger=_QUIET,
        )
        self._producer.init_transactions(_TIMEOUT)

    def decide(self, decisions: Iterable[tuple[str, DeadLetter, Sequence[Place]]]) -> None:
        """Write decisions, each given as the decision, a letter, and the places of all letters of its id."""
        open_ = 0
        for what, letter, places in decisions:
            if not open_:
                self._producer.begin_transaction()
            self._send(what, letter, places)
            open_ += 1
            if open_ == _MOST:
                self._producer.commit_transaction(_TIMEOUT)
                open_ = 0
        if open_:
            self._producer.commit_transaction(_TIMEOUT)

    def _send(self, what: str, letter: DeadLetter, places: Sequence[Place]) -> None:
        if what == REPLAYED:
            self._replay(letter)
        self._produce(self._prefix + DECISIONS.name, decision(what, self._by, places), key=letter.id)

    def _replay(self, letter: DeadLetter) -> None:
        """Send a record to where the role that gave it up reads it: raw with its origin, typed to its own partition.

        Its timestamp is now, because Kafka deletes what is older than a topic keeps; the origin has the first one.
        """
        topic, headers = letter.topic, letter.headers
        if topic in self._raw:
            headers = [origin_header(topic, letter.partition, letter.offset, letter.timestamp), *headers]
            topic = self._prefix + REPLAY.name
        elif letter.component == "count":
            headers = [recount_header(), *headers]
        else:
            headers = without_recount_header(headers)
        self._produce(topic, letter.value, letter.key, letter.partition, headers=headers)

    def _produce(self, *arguments: object, **more: object) -> None:
        """Pass a record to the producer; blocks while its queue is full."""
        while True:
            try:
                self._producer.produce(*arguments, **more)  # type: ignore[arg-type]
                self._producer.poll(0)
                return
            except BufferError:
                self._producer.poll(0.1)


def why(error: KafkaException) -> str:
    """Explain an error of Kafka to the person who ran the command."""
    if error.args[0].fatal():
        return "Another replay or drop has begun since; what this one had not finished is left to it."
    return f"Kafka: {error.args[0].str()}"
