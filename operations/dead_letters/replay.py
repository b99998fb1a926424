"""Letters in; records sent again, and what was decided of each letter, out: both or neither.

A decision and the record it sends go out in one Kafka transaction, and a later run fences off an earlier one that
still goes on. So a letter is sent again once, whatever breaks.
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

_TIMEOUT = 60.0  # seconds
_MOST = 1000  # letters of one transaction
_ENVELOPE = 128 << 10  # room for headers on top of the largest record

_QUIET = logging.getLogger("ogrewatch.deadletter")  # what librdkafka would print is raised as well
_QUIET.setLevel(logging.CRITICAL + 1)


class Decider:
    """Decides on letters, in the name of `by`. Making one fences off all others. Blocks; raises `KafkaException`.

    Read the decisions there are after making it: until then somebody else may decide.
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
        """Decide on letters: what, a letter, and the places of all letters of its id."""
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
        """To where it is read by who gave it up: a raw record with its origin, a typed one to its own partition.

        It is dated now, for Kafka deletes what is older than a topic keeps; the origin says when it came at first.
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
        """Give a record to the producer; waits when it has enough."""
        while True:
            try:
                self._producer.produce(*arguments, **more)  # type: ignore[arg-type]
                self._producer.poll(0)
                return
            except BufferError:
                self._producer.poll(0.1)


def why(error: KafkaException) -> str:
    """What went wrong, for the one who ran the command."""
    if error.args[0].fatal():
        return "Another replay or drop has begun since; what this one had not finished is left to it."
    return f"Kafka: {error.args[0].str()}"
