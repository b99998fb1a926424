"""Encodes matches that one partition forwards to the home of their group, in the topic `detect.matches`.

A record holds several matches; each names the record that it comes from, so a match that is forwarded again, after a
crash, is known by that, however it is packed. All matches that come from one record and go to one home are in one
record. JSON: nobody but the detect role reads it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from agents.transport import Outgoing
from alerts.alert import LONGEST_LINE, Sighting
from alerts.correlation.judge import Forward
from alerts.correlation.windows import Occurrence
from alerts.engine.view import Reference

_LARGEST = 256 << 10
"""Bytes of matches in one record, about."""
_LINES, _LINES_IN_ALL = 2, 200
"""Matches that take their lines along, of a group and in all of one checkpoint: each has to be decoded."""


class Source(NamedTuple):
    """The record that a match comes from: the log's topic and partition, and its offset."""

    log: str
    offset: int


def outgoing(topic: str, forwards: Iterable[tuple[Source, Forward]]) -> list[Outgoing]:
    """The records of matches, in their order."""
    items: dict[int, list[tuple[Source, bytes]]] = defaultdict(list)
    lines = _Lines()
    for source, forward in forwards:
        items[forward.home].append((source, orjson.dumps(_item(source, forward, lines.of(forward)))))
    return [
        Outgoing(topic, None, b"[" + b",".join(packed) + b"]", home)
        for home, found in sorted(items.items())
        for packed in _packed(found)
    ]


def _packed(items: list[tuple[Source, bytes]]) -> Iterator[list[bytes]]:
    record: list[bytes] = []
    size = 0
    for _, together in groupby(items, key=lambda item: item[0]):
        of_one = [encoded for _, encoded in together]
        if record and size > _LARGEST:
            yield record
            record, size = [], 0
        record += of_one
        size += sum(map(len, of_one))
    if record:
        yield record


class _Lines:
    """Chooses the matches that take their lines along."""

    def __init__(self) -> None:
        self._taken = Counter[tuple[str, ...]]()
        self._left = _LINES_IN_ALL

    def of(self, forward: Forward) -> str:
        name = (forward.rule, *forward.key)
        self._taken[name] += 1
        if self._taken[name] > _LINES or self._left <= 0:
            return ""
        self._left -= 1
        return forward.sighting.line()[:LONGEST_LINE]


def _item(source: Source, forward: Forward, line: str) -> list[Any]:
    seen, sighting = forward.seen, forward.sighting
    return [*source, forward.rule, forward.revision, forward.key, [*seen], [*sighting.event], sighting.now, line,
            forward.fed]  # fmt: skip


def decode(value: bytes, home: int) -> list[tuple[Source, Forward]]:
    """The matches of a record. Raises `ValueError` for what is none."""
    try:
        return [_decoded(item, home) for item in orjson.loads(value)]
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"no forwarded matches: {error}") from None


def _decoded(item: list[Any], home: int) -> tuple[Source, Forward]:
    log, offset, rule, revision, key, seen, event, now, line, fed = item
    sighting = Sighting(Reference(*event), now, line.__str__)
    return Source(log, offset), Forward(home, rule, revision, tuple(key), Occurrence(*seen), sighting, fed)
