"""Parses JSON records as the whole pipeline would, and checks the events; makes records that keep to no schema."""

import json
from typing import Any

from hypothesis import strategies as st
from stream_checks import check_event

from streams import samples
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from topics.documents.ecs import render
from topics.event import Event

RECEIVED = samples.RECEIVED
_DISPATCHER = Dispatcher("Europe/Berlin")
_EDGES = [2**31, 2**63 - 1, 2**63, 2**64 - 1, -1, 0, 70000, 1e300, 1.5]
_ODD = [
    "",
    "-",
    "192.0.2.1",
    "2001:db8::1",
    "true",
    "T",
    "2026-11-24T04:05:06Z",
    "CN=a,O=b\\,c",
    "a\x00b",
    "\x1b[31m",
    "9" * 400,
]
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_EDGES + _ODD)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


def event_of(record: dict[str, Any], before: str = "") -> Event:
    """The event of a record; it must be sound, and must make a document."""
    event = _DISPATCHER.parse((before + json.dumps(record)).encode(), RECEIVED, MemoryState())
    check_event(event)
    assert event.get("event_kind") != "pipeline_error", event.get("error_message")
    json.dumps(render(event)).encode()
    return event


def attempt_of(record: dict[str, Any]) -> tuple[int, str]:
    """How many attempts a record stands for, and their outcome."""
    event = event_of(record)
    return event.get("ogrewatch_attempt", 0), event.get("event_outcome", "")


def of_samples(name: str) -> list[dict[str, Any]]:
    """The records of a stream's samples, without what stands before them."""
    lines = [line for log in samples.logs([name]) for line in samples.lines(log)]
    return [json.loads(line[line.index(b'{"') :]) for line in lines if b'{"' in line]


@st.composite
def spoilt(draw: st.DrawFn, records: list[dict[str, Any]]) -> dict[str, Any]:
    """One of the records with some of its members, at any depth, put to other values or taken out."""
    record: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(records))))
    for _ in range(draw(st.integers(1, 4))):
        node: dict[str, Any] = record
        while node:
            name = draw(st.sampled_from(sorted(node)))
            inner = node[name]
            if not (isinstance(inner, dict) and inner and draw(st.booleans())):
                node[name] = draw(_VALUES)
                break
            node = inner
    return record


def leaves(value: Any) -> list[str]:
    """All that a record's or an event's values say, as texts."""
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in leaves(member)]
    if isinstance(value, list):
        return [leaf for member in value for leaf in leaves(member)]
    return [str(value)]


def deep(levels: int) -> Any:
    """An object within objects."""
    value: Any = "bottom"
    for _ in range(levels):
        value = {"a": [value]}
    return value
