"""Writes and reads dead letters: the original key and bytes of a record, and in headers what is known about it.

A dead letter always fits into its topic. Of a record that is larger than any may be, it has the first `BEGINNING`
bytes, and says how many there were. It keeps up to `_MOST` bytes of the record's headers, with the prefix `_KEPT`.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from topics.catalogue import DEADLETTER, MAX_RECORD
from topics.cut import Cut
from topics.errors import OgrewatchError
from topics.headers import Headers
from topics.kafka.producer import Outgoing

BEGINNING = 64 << 10
"""Bytes that a dead letter keeps of the value and of the key of a record that is too large."""
_ERROR = 2000  # characters of an error's text that are kept
_MOST = 32 << 10  # bytes of the headers of the record that are kept
_FRAMING = 16  # bytes that each header takes besides name and value
_KEPT = "original."
_NAMES = ("component", "version", "time", "topic", "partition", "offset", "reason", "error")
_OPTIONAL = ("timestamp", "cut")
"""Numbers that only some dead letters have. Without `timestamp`, that of the letter is that of the record."""


class InvalidDeadLetter(OgrewatchError, ValueError):
    """A record is not a dead letter of Ogrewatch."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter. `timestamp` is that of the record, `time` when it was given up, both in milliseconds since 1970.

    `place` is the partition and offset of the letter; `topic`, `partition` and `offset` are those of the record. `cut`
    is None when `value` is whole; else it is the size of the whole value in bytes, or -1 if that is unknown.
    """

    component: str
    version: str
    time: int
    topic: str
    partition: int
    offset: int
    reason: str
    error: str
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    place: tuple[int, int]
    cut: int | None = None

    @property
    def id(self) -> str:
        """The identity: the same for every letter that a component writes about a record."""
        return f"{self.component}:{self.topic}-{self.partition}-{self.offset}"


def letter(prefix: str, component: str, record: Any, reason: str, text: str) -> Outgoing:
    """Make a dead letter of a consumed record that `component` gave up.

    Its headers say who gave up and when, where the record was and when it came, the class of the reason and its text.
    """
    headers = [
        ("component", component),
        ("version", _version()),
        ("time", str(time.time_ns() // 1_000_000)),
        ("topic", record.topic),
        ("partition", str(record.partition)),
        ("offset", str(record.offset)),
        ("reason", reason),
        ("error", text[:_ERROR].encode("utf-8", "backslashreplace")),
        ("timestamp", str(record.timestamp)),
    ]
    key, value = record.key, record.value
    if is_too_large(record):
        headers.append(("cut", str(_size(value))))
        key, value = key and key[:BEGINNING], value and bytes(value[:BEGINNING])
    headers.extend(_kept(record.headers or ()))
    return Outgoing(prefix + DEADLETTER.name, key, value, None, record.timestamp, headers)


def is_too_large(record: Any) -> bool:
    """Whether a consumed record is larger than `MAX_RECORD`, or so large that only its first bytes were read."""
    return type(record.value) is Cut or len(record.value or b"") + len(record.key or b"") > MAX_RECORD


def _size(value: bytes | None) -> int:
    if isinstance(value, Cut):
        return -1 if value.size is None else value.size
    return len(value or b"")


def reason_of(error: Exception) -> str:
    """What a dead letter says about an error: its text, after its class unless it is a `ValueError`."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def error_of(dead: Outgoing) -> str:
    """The reason in a dead letter that `letter` made."""
    said: dict[str, Any] = dict(dead.headers or ())
    return f"{said['reason']}: {said['error'].decode()}"


def offset_of(dead: Outgoing) -> int:
    """The offset of the record, in a dead letter that `letter` made."""
    return int(dict[str, Any](dead.headers or ())["offset"])


def read(message: Any) -> DeadLetter:
    """Read a dead letter from a message of confluent-kafka. Raises `InvalidDeadLetter`."""
    headers: Headers = message.headers() or []
    found = {name: value for name, value in headers if name in _NAMES and value is not None}
    try:
        said = {name: found[name].decode("utf-8", "backslashreplace") for name in _NAMES}
        numbers = int(said["time"]), int(said["partition"]), int(said["offset"])
        more = {name: int(value) for name, value in headers if name in _OPTIONAL and value is not None}
    except (KeyError, ValueError) as error:
        raise InvalidDeadLetter(f"no dead letter: {error!r}") from error
    return DeadLetter(
        said["component"], said["version"], numbers[0], said["topic"], *numbers[1:], said["reason"], said["error"],
        more.get("timestamp", message.timestamp()[1]), message.key(), message.value(),
        [(name.removeprefix(_KEPT), value) for name, value in headers if name.startswith(_KEPT)],
        (message.partition(), message.offset()), more.get("cut"),
    )  # fmt: skip


def _kept(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
    kept, size = [], 0
    for name, value in headers:
        size += len(name.encode("utf-8", "surrogatepass")) + len(_KEPT) + len(value or b"") + _FRAMING
        if size <= _MOST:
            kept.append((_KEPT + name, value))
    return kept


@cache
def _version() -> str:
    """The version of Ogrewatch. It is cached, because the metadata is in a file."""
    return version("ogrewatch")
