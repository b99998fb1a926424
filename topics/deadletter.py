"""What could not be processed: a record of the dead-letter topic, original key and bytes, the rest in headers.

Headers of the record itself are kept under names of their own; those beyond `_MOST` bytes are left out, lest the letter
be larger than what it is about may have been.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from topics.catalogue import DEADLETTER

_ERROR = 2000  # characters
_MOST = 32 << 10
_KEPT = "original."
_NAMES = ("component", "version", "time", "topic", "partition", "offset", "reason", "error")

Headers = list[tuple[str, bytes | None]]


class NoLetter(ValueError):
    """A record that is not a dead letter of ours."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. `timestamp` is the record's, `time` when it was given up: milliseconds since 1970.

    `place` is partition and offset of the letter; `topic`, `partition` and `offset` are the record's.
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

    @property
    def id(self) -> str:
        """The same for every letter that a component writes of a record."""
        return f"{self.component}:{self.topic}-{self.partition}-{self.offset}"


def letter(prefix: str, component: str, record: Any, reason: str, text: str) -> Any:
    """A dead letter, ready to be delivered: key, value and time of the consumed record that `component` gave up on.

    Its headers say who gave up and when, where the record stood, the class of the reason and its text.
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
        *_kept(record.headers or ()),
    ]
    return prefix + DEADLETTER.name, record.key, record.value, None, record.timestamp, headers


def error_of(outgoing: Any) -> str:
    """The reason in a letter that is ready to be delivered."""
    said = dict(outgoing[5])
    return f"{said['reason']}: {said['error'].decode()}"


def offset_of(outgoing: Any) -> int:
    """The offset of the record that a letter is about which is ready to be delivered."""
    return int(dict(outgoing[5])["offset"])


def read(message: Any) -> Letter:
    """The letter in a message of the dead-letter topic (confluent-kafka's). Raises `NoLetter`."""
    headers: Headers = message.headers() or []
    found = {name: value for name, value in headers if name in _NAMES and value is not None}
    try:
        said = {name: found[name].decode("utf-8", "backslashreplace") for name in _NAMES}
        numbers = int(said["time"]), int(said["partition"]), int(said["offset"])
    except (KeyError, ValueError) as error:
        raise NoLetter(f"no dead letter: {error!r}") from error
    return Letter(
        said["component"], said["version"], numbers[0], said["topic"], *numbers[1:], said["reason"], said["error"],
        message.timestamp()[1], message.key(), message.value(),
        [(name.removeprefix(_KEPT), value) for name, value in headers if name.startswith(_KEPT)],
        (message.partition(), message.offset()),
    )  # fmt: skip


def _kept(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
    kept, size = [], 0
    for name, value in headers:
        size += len(name) + len(value or b"")
        if size <= _MOST:
            kept.append((_KEPT + name, value))
    return kept


@cache
def _version() -> str:
    """Read once: the metadata is a file."""
    return version("ogrewatch")
