"""Processes samples of our own, to tell a fault of this version from records that no version can process.

Senders decide what records contain, and so how many of them fail, but they cannot influence the samples. While the
samples are processed without error, failures are the fault of the records.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from agents.pipeline import Pipeline
from agents.settings import Settings
from streams.base import MemoryState
from topics.avro.codec import encode
from topics.catalogue import DEADLETTER, RAW, typed
from topics.fields import TYPES, Field, columns
from topics.records.deadletter import error_of

Canary = Callable[[str], Awaitable[str]]
"""Returns what fails of the samples that resemble the records of a topic, "" if nothing does."""

_VALUES: dict[str, Any] = {"string": "sample", "int": 7, "long": 7, "double": 7.0, "strings": ["sample"]}
_ADDRESS, _SPRING = "192.0.2.1", 1_777_636_800_000_000  # microseconds since 1970


class LineCanary:
    """The samples of all streams, as raw records for a pipeline. Blocks for some tenths of a second."""

    def __init__(self, pipeline: Pipeline, settings: Settings) -> None:
        self._pipeline, self._prefix = pipeline, settings.prefix

    async def __call__(self, topic: str) -> str:
        """Return the error of the first sample that does not become an event, "" if all do."""
        records = [_record(self._prefix + RAW[0].name, line, number) for number, line in enumerate(_lines())]
        dead = [
            one for one in self._pipeline.records(records, MemoryState()) if one[0] == self._prefix + DEADLETTER.name
        ]
        return f"Of {len(records)} sample lines of ours {len(dead)} fail, too ({error_of(dead[0])})" if dead else ""


@cache
def _lines() -> list[bytes]:
    from streams import samples

    return [line for log in samples.logs() for line in samples.lines(log)]


def _record(topic: str, value: bytes, offset: int) -> Any:
    known = {"topic": topic, "partition": 0, "offset": offset, "timestamp": _SPRING // 1000, "headers": ()}
    return SimpleNamespace(**known, key=b"sample", value=value)


@cache
def sample_events(prefix: str) -> dict[str, Any]:
    """Return for each typed topic a record whose event has a value in every column."""
    events = {kind: {field.column: _value(field) for field in columns(kind)} for kind in TYPES}
    return {
        prefix + typed(kind): _record(prefix + typed(kind), encode(kind, event), 0) for kind, event in events.items()
    }


def _value(field: Field) -> Any:
    if field.column == "extra":
        return {}
    if field.column in ("timestamp", "event_created"):
        return _SPRING
    return _ADDRESS if field.column.endswith("_ip") else _VALUES[field.kind]
