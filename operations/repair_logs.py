"""Repairs logs of which Kafka has lost the end, so that the roles process what was written in its place.

No role may run meanwhile. For each log whose end is another than the one that was processed:

- Lines of a raw log that stand at offsets of lost lines would be taken for those. They are written once
  more behind every offset that was ever used, and normalize goes on there. In between, the log is padded with records
  of a transaction that is aborted, which no consumer sees. Copies and the offset are committed in one transaction.
- A typed log is emptied, and padded in the same way, since counts and groups of rules remember its offsets. Its events
  are written anew by normalize, which goes back to a time before the loss: who has them says so by their ids.
- index goes back to the first new record of other logs.

https://kafka.apache.org/documentation/#semantics
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.settings import Settings
from agents.state.log_identity import COPIED_FROM, At, Position, differences, first_new, position_of
from topics.catalogue import MAX_RECORD, RAW, READ_BY, REPLAY, group_of, read_by
from topics.kafka.client import client_conf
from topics.kafka.reader import Reader, with_retries

MARGIN = 200_000
"""Offsets behind the commit that may have been used: records that a role processes between two commits, a second."""
BACK = 600_000
"""Milliseconds before the loss that normalize goes back to."""
_TIMEOUT = 60.0  # seconds for each answer of Kafka


@dataclass(slots=True)
class Loss:
    """A log that lost its end. `positions` are offsets that roles have committed, `first` is the first new offset."""

    at: At
    sentence: str
    first: int
    positions: dict[str, Position] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """An offset that no record had when it was lost."""
        return max(position.offset for position in self.positions.values()) + MARGIN


def losses(reader: Reader, settings: Settings) -> list[Loss]:
    """Find all logs that lost an end which was processed; blocks. Raises `KafkaException`."""
    found: dict[At, Loss] = {}
    for role in READ_BY:
        positions = _positions(reader, settings, role)
        for at, sentence in differences(settings.kafka, positions).items():
            first = first_new(settings.kafka, at, positions[at])
            loss = found.setdefault(at, Loss(at, sentence, first))
            loss.first, loss.positions[role] = min(loss.first, first), positions[at]
    for role in READ_BY:
        for at, position in _positions(reader, settings, role).items():
            if at in found:
                found[at].positions[role] = position
    return list(found.values())


class Repair:
    """Repairs losses. Methods block, and raise `KafkaException`. A repair that was interrupted can be run again."""

    def __init__(self, reader: Reader, settings: Settings, tell: Callable[[str], object]) -> None:
        self._reader, self._settings, self._tell = reader, settings, tell
        self._raw = {settings.prefix + topic.name for topic in (*RAW, REPLAY)}
        self._counted = {*read_by("count", settings.prefix), *read_by("detect", settings.prefix)}
        self._admin = AdminClient(client_conf(settings.kafka))

    def run(self, found: list[Loss]) -> None:
        """Repair typed logs, then raw ones, from which typed ones are made anew."""
        typed = [loss for loss in found if loss.at[0] not in self._raw]
        if typed:
            self._rewind(typed, {loss.at for loss in found})
        for loss in typed:
            if loss.at[0] in self._counted:
                self._empty(loss)
            else:
                self._commit("index", {loss.at: loss.first})
                self._tell(f"{_name(loss.at)}: index goes back to {loss.first}")
        for loss in found:
            if loss.at[0] in self._raw:
                self._copy(loss)

    def _rewind(self, typed: list[Loss], lost: set[At]) -> None:
        """Set normalize back to a time before the loss, in raw logs that lost nothing."""
        since = min(self._time_before(loss) for loss in typed)
        wanted: dict[At, int] = {}
        for at, position in _positions(self._reader, self._settings, "normalize").items():
            if at not in lost:
                begin = self._reader.bounds(at[0], max(1, since - BACK))[at[1]][0]
                wanted[at] = min(begin, position.offset)
        if wanted:
            self._commit("normalize", wanted)
            self._tell("normalize begins ten minutes before the loss: what is stored or counted is not so once more")

    def _time_before(self, loss: Loss) -> int:
        """The time of the last record that was not lost; 0 without one."""
        begin, _ = self._reader.bounds(loss.at[0])[loss.at[1]]
        span = {loss.at[1]: (max(begin, loss.first - 1), loss.first)}
        return max((message.timestamp()[1] for message in self._reader.read(loss.at[0], span)), default=0)

    def _empty(self, loss: Loss) -> None:
        """Delete all records of a typed log, and pad it so that new records get offsets that none had."""
        end = self._pad(loss.at, loss.free)
        (deleted,) = self._admin.delete_records([TopicPartition(*loss.at, end)]).values()
        deleted.result(_TIMEOUT)
        for role in loss.positions:
            self._commit(role, {loss.at: end})
        self._tell(f"{_name(loss.at)}: emptied, goes on at {end}")

    def _copy(self, loss: Loss) -> None:
        """Write the new lines once more behind all used offsets, and commit that place for normalize."""
        target = loss.free
        self._pad(loss.at, target)
        number = 0
        with _transaction(self._settings.kafka) as producer:
            for message in self._reader.read(loss.at[0], {loss.at[1]: (loss.first, target)}):
                _send(producer, loss.at, message)
                number += 1
            with self._group("normalize") as group:
                offsets = [TopicPartition(*loss.at, target)]
                producer.send_offsets_to_transaction(offsets, group.consumer_group_metadata(), _TIMEOUT)
        self._tell(
            f"{_name(loss.at)}: {number:,} new lines from {loss.first} on now follow {target}, where normalize goes on"
        )

    def _pad(self, at: At, target: int) -> int:
        """Pad a log until it ends at an offset or behind it; return its end."""
        while (end := self._reader.bounds(at[0])[at[1]][1]) < target:
            with _transaction(self._settings.kafka, commit=False) as producer:
                for _ in range(target - end):
                    _produce(producer, at, b"", None, None)
                producer.flush(_TIMEOUT)
        return end

    def _commit(self, role: str, offsets: dict[At, int]) -> None:
        """Commit for a role, without metadata: confluent-kafka 2.16 cannot write what it can read, see `Position`."""
        with self._group(role) as group:
            group.commit(offsets=[TopicPartition(*at, offset) for at, offset in offsets.items()], asynchronous=False)

    @contextmanager
    def _group(self, role: str) -> Iterator[Any]:
        group = Consumer(client_conf(self._settings.kafka) | {"group.id": group_of(role, self._settings.prefix)})
        try:
            yield group
        finally:
            group.close()


def members(settings: Settings) -> list[str]:
    """Return the roles that have workers now; blocks. Raises `KafkaException`."""
    admin = AdminClient(client_conf(settings.kafka))
    groups = {group_of(role, settings.prefix): role for role in READ_BY}

    def ask() -> list[str]:
        found = admin.describe_consumer_groups(list(groups), request_timeout=_TIMEOUT)
        return [groups[name] for name, future in found.items() if future.result(_TIMEOUT).members]

    return with_retries(ask)


def _positions(reader: Reader, settings: Settings, role: str) -> dict[At, Position]:
    commits = reader.commits(group_of(role, settings.prefix), read_by(role, settings.prefix))
    return {at: position_of(offset, metadata) for at, (offset, metadata) in commits.items() if offset > 0}


@contextmanager
def _transaction(servers: str, commit: bool = True) -> Iterator[Any]:
    """Run a transaction: it is committed at the end, or aborted when `commit` is false or something fails."""
    producer = Producer(
        client_conf(servers)
        | {"transactional.id": f"ogrewatch-repair-{uuid.uuid4()}", "transaction.timeout.ms": 600_000}
        | {"message.max.bytes": 2 * MAX_RECORD, "linger.ms": 20, "compression.type": "lz4"}
    )
    producer.init_transactions(_TIMEOUT)
    producer.begin_transaction()
    try:
        yield producer
    except BaseException:
        producer.abort_transaction(_TIMEOUT)
        raise
    if commit:
        producer.commit_transaction(_TIMEOUT)
    else:
        producer.abort_transaction(_TIMEOUT)


def _send(producer: Any, at: At, message: Any) -> None:
    headers = [*(message.headers() or ()), (COPIED_FROM, b"%d" % message.offset())]
    _produce(producer, at, message.value(), message.key(), headers)


def _produce(producer: Any, at: At, value: bytes | None, key: bytes | None, headers: Any) -> None:
    while True:
        try:
            producer.produce(at[0], value, key, at[1], headers=headers or None)
            return
        except BufferError:
            producer.poll(0.1)


def _name(at: At) -> str:
    return f"{at[0]}-{at[1]}"
