"""Says whether the log of a partition is still the one that was processed, because Kafka can lose the end of a log.

A broker that loses power, or one that becomes leader without having everything (an unclean election), goes on with a
log that ends earlier than before, and gives the lost offsets to new records. Whoever goes on at the offset that it had
committed would pass over these, and events that are known by their offsets would take them for old ones.

So a commit carries what tells the log from another one: the topic's id and, of the last record that was processed, its
offset, timestamp, checksum and leader epoch. `differences` compares that with the log as it is. The leader epoch grows
with every new leader, also when a broker comes back, and Kafka writes it to every batch of records: records of a new
epoch are what a running consumer has to look back for (https://cwiki.apache.org/confluence/x/zYZnBQ, KIP-320).
"""

import asyncio
import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from zlib import crc32

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from topics.cut import Cut
from topics.kafka.client import client_conf
from topics.kafka.topic_ids import Identities, identities, recreated

At = tuple[str, int]
"""A topic and a partition."""

COPIED_FROM = "ogrewatch.copied_from"
"""Header of a record that `ogrewatch repair` has written once more: the offset of the one that nobody processes."""
NO_EPOCH = -1
NO_CHECKSUM = 1 << 32
"""In place of the checksum of a record whose value was too large to be read whole."""
_VERSION = "1"
_DIGITS = 20
_TEXT = re.compile(r"1 ([A-Za-z0-9_+/=-]{1,64}|\?)(?: (\d{1,19}) (-?\d{1,19}) (\d{1,10}) (-?\d{1,10}))?")
_END = "\0"  # confluent-kafka 2.16 reads metadata as a C string, and on to whatever lies behind it in memory
_TIMEOUT, _GRACE = 10.0, 2.0  # seconds that Kafka has to answer, and librdkafka to say that it has not
_BEGINNING, _END_OF_LOG = cast(Any, OffsetSpec).earliest(), cast(Any, OffsetSpec).latest()
_TRIES, _PAUSE = 3, 1.0  # looks before a difference is believed, for a leader may be new, and seconds between them
_CONF = {
    "group.id": "ogrewatch-reads",  # which never commits
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "max.partition.fetch.bytes": 64 << 10,  # a batch or two: one record of them is looked at
    "queued.min.messages": 1,
    "fetch.queue.backoff.ms": 50,  # else a partition that waits behind a full queue is asked for once a second
    "log_level": 2,
}


@dataclass(frozen=True, slots=True)
class LastRecord:
    """What tells a record from another one at its offset. `timestamp` is milliseconds since 1970."""

    offset: int
    timestamp: int
    checksum: int
    epoch: int = NO_EPOCH

    def same(self, other: "LastRecord") -> bool:
        """Whether both are one record. Epochs are not compared: not every client says them."""
        if (self.offset, self.timestamp) != (other.offset, other.timestamp):
            return False
        return self.checksum == other.checksum or NO_CHECKSUM in (self.checksum, other.checksum)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a group goes on in a partition, and what its log was: `record` is the last one before `offset`.

    Both are None where nobody has noted them.
    """

    offset: int
    topic_id: str | None = None
    record: LastRecord | None = None

    def metadata(self) -> str:
        """The text that is committed with the offset, some 80 characters."""
        words: list[object] = [_VERSION, self.topic_id or "?"]
        if (last := self.record) is not None:
            words += [last.offset, last.timestamp, last.checksum, last.epoch]
        return " ".join(map(str, words)) + _END


def position_of(offset: int, metadata: str | None) -> Position:
    """The position that a commit tells of; a text that is not ours says nothing."""
    found = _TEXT.fullmatch((metadata or "").partition(_END)[0])
    if found is None:
        return Position(offset)
    topic_id, *numbers = found.groups()
    record = LastRecord(*map(int, numbers)) if numbers[0] is not None and int(numbers[0]) < offset else None
    return Position(offset, topic_id if topic_id != "?" else None, record)


def checksum(key: bytes | None, value: bytes | None) -> int:
    """CRC-32 of a record's key and value; `NO_CHECKSUM` if only the beginning of the value is known."""
    return NO_CHECKSUM if type(value) is Cut else crc32(value or b"", crc32(key or b""))


def copied_from(message: Any) -> int:
    """Which record of its partition a record is a copy of; -1 for none."""
    found = dict(message.headers() or ()).get(COPIED_FROM)
    return int(found) if found is not None and found.isdigit() and len(found) < _DIGITS else -1


def differences(servers: str, positions: Mapping[At, Position], now: Mapping[str, str] | None = None) -> dict[At, str]:
    """A sentence for each partition whose log is another one than the one that was processed; blocks.

    `now` are the topics' ids, if they are known already. Raises `KafkaException`. What begins behind the record that is
    remembered (retention) cannot be compared with it, and passes.
    """
    found: dict[At, str] = {}
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE)
        ids = now if now is not None else identities(servers, {topic for topic, _ in positions})
        found = _differences(servers, positions, ids)
        if not found:
            break
    return found


async def recreated_since(servers: str, before: Identities) -> str:
    """What `recreated` says of topics now; "" if Kafka does not answer. Topics that are missing are passed over."""
    if not before:
        return ""
    try:
        return recreated(before, await asyncio.to_thread(identities, servers, list(before), list(before)))
    except KafkaException:
        return ""


def first_new(servers: str, at: At, position: Position) -> int:
    """The first offset below a position that is free again, or holds a new record; blocks. Raises `KafkaException`."""
    log = _Log(servers)
    try:
        begin, end = log.bounds([at])[at]
        end = min(end, position.offset)
        return end if position.record is None else log.first_after(at, position.record, begin, end)
    finally:
        log.close()


def _differences(servers: str, positions: Mapping[At, Position], ids: Mapping[str, str]) -> dict[At, str]:
    found = {at: sentence for at, position in positions.items() if (sentence := _other_topic(at, position, ids))}
    log = _Log(servers)
    try:
        bounds = log.bounds([at for at, position in positions.items() if at not in found and position.offset > 0])
        found |= {at: sentence for at in bounds if (sentence := _shorter(at, positions[at], bounds[at][1]))}
        rest = {at: positions[at] for at in bounds if at not in found}
        for at, records in log.read_last(rest, bounds).items():
            if sentence := _other_record(log, at, positions[at], records, bounds[at][0]):
                found[at] = sentence
        return found
    finally:
        log.close()


def _other_topic(at: At, position: Position, ids: Mapping[str, str]) -> str:
    if position.topic_id is None:
        return ""
    return recreated({at[0]: position.topic_id}, {at[0]: ids.get(at[0], "")})


def _shorter(at: At, position: Position, end: int) -> str:
    if end >= position.offset:
        return ""
    return (f"Kafka has lost the end of the log of {at[0]}-{at[1]}: it ends at {end}, and all before {position.offset} "
            f"was processed. New records are given offsets from {end} on once more")  # fmt: skip


def _other_record(log: "_Log", at: At, position: Position, records: list[LastRecord], begin: int) -> str:
    """What is there in place of the last record, or between it and the position, where there was nothing."""
    last = position.record
    if last is None or (len(records) == 1 and records[0].same(last)):
        return ""
    first = log.first_after(at, last, begin, position.offset)
    now = next((f", where one of {_clock(one.timestamp)} is now" for one in records if one.offset == last.offset), "")
    return (f"Kafka has lost the end of the log of {at[0]}-{at[1]}, and has written other records in its place: all "
            f"before {position.offset} was processed, the last of it the record of {_clock(last.timestamp)} at offset "
            f"{last.offset}{now}. Records from offset {first} on are new")  # fmt: skip


def _clock(millis: int) -> str:
    try:
        return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{millis} ms"


class _Log:
    """Reads single records. Methods block, and raise `KafkaException`.

    A batch that becomes more than librdkafka can hold (100 MB) is passed over: its records cannot be compared.
    """

    def __init__(self, servers: str) -> None:
        self._unreadable = set[At]()
        self._client = Consumer(client_conf(servers) | _CONF)
        self._admin = AdminClient(client_conf(servers) | {"log_level": 2})

    def close(self) -> None:
        self._client.close()

    def bounds(self, places: Collection[At]) -> dict[At, tuple[int, int]]:
        """Offsets of first records, and behind the last ones that no transaction keeps open."""
        begins, ends = self._offsets(places, _BEGINNING), self._offsets(places, _END_OF_LOG)
        return {at: (begins[at], ends[at]) for at in places}

    def _offsets(self, places: Collection[At], which: Any) -> dict[At, int]:
        if not places:
            return {}
        found = self._admin.list_offsets(
            {TopicPartition(*at): which for at in places}, isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_TIMEOUT,
        )  # fmt: skip
        try:
            return {(tp.topic, tp.partition): int(one.result(_TIMEOUT + _GRACE).offset) for tp, one in found.items()}
        except TimeoutError:  # librdkafka ends the request at about the time that we do
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None

    def read_last(
        self, positions: Mapping[At, Position], bounds: Mapping[At, tuple[int, int]]
    ) -> dict[At, list[LastRecord]]:
        """Records from the one that is remembered up to the position; without partitions where one cannot be read."""
        spans = {
            at: (last.offset, position.offset)
            for at, position in positions.items()
            if (last := position.record) is not None and last.offset >= bounds[at][0]
        }
        found: dict[At, list[LastRecord]] = {at: [] for at in spans}
        for at, record in self._read(spans):
            found[at].append(record)
        return {at: records for at, records in found.items() if at not in self._unreadable}

    def first_after(self, at: At, last: LastRecord, begin: int, end: int) -> int:
        """The first offset in a span that holds a record of a later leader than `last` had, or else of a later time."""
        while begin < end:
            middle = (begin + end) // 2
            found = next((record for _, record in self._read({at: (middle, end)})), None)
            if found is not None and not _later(found, last):
                begin = found.offset + 1
            else:
                end = middle
        return begin

    def _read(self, spans: Mapping[At, tuple[int, int]]) -> Iterator[tuple[At, LastRecord]]:
        left = {at: end for at, (begin, end) in spans.items() if begin < end}
        assigned = [TopicPartition(*at, spans[at][0]) for at in left]
        self._client.assign(assigned)
        until = time.monotonic() + _TIMEOUT
        try:
            while left:
                message = self._client.poll(max(0.0, until - time.monotonic()))
                if message is None:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
                at = message.topic(), message.partition()
                if at not in left:
                    continue
                record = self._take(message, at, left)
                if at not in left:  # else its further records, however many, would keep Kafka from the others
                    self._client.pause([TopicPartition(*at)])
                until = time.monotonic() + _TIMEOUT
                if record is not None:
                    yield at, record
        finally:
            self._client.resume(assigned)  # pauses outlive an assignment
            self._client.unassign()

    def _take(self, message: Any, at: At, left: dict[At, int]) -> LastRecord | None:
        """The record, if it lies before the end of its span; a partition that has come to its end is left."""
        error, offset = message.error(), message.offset()
        if error is not None:
            if error.code() == KafkaError._BAD_COMPRESSION:
                self._unreadable.add(at)
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            del left[at]
            return None
        end = left[at]
        if offset + 1 >= end:
            del left[at]
        return _record_of(message) if offset < end else None


def _record_of(message: Any) -> LastRecord:
    epoch = message.leader_epoch()
    return LastRecord(
        message.offset(), message.timestamp()[1], checksum(message.key(), message.value()),
        NO_EPOCH if epoch is None else epoch,
    )  # fmt: skip


def _later(record: LastRecord, last: LastRecord) -> bool:
    if NO_EPOCH in (record.epoch, last.epoch):
        return record.timestamp > last.timestamp
    return record.epoch > last.epoch
