"""Checks what holds for every event of any stream: known columns, values of their types, ECS's allowed values."""

import json
from typing import Any

from streams.common.ecs_names import NAMES
from streams.common.ecs_values import KINDS, OUTCOMES, TYPES
from topics.event import Event
from topics.fields import FIELDS

_PYTHON: dict[str, Any] = {"string": str, "int": int, "long": int, "double": float, "strings": list}
_LARGEST: dict[str, int] = {"int": 2**31, "long": 2**63}


def check_event(event: Event) -> None:
    """Assert all of it; a failure names the column."""
    json.dumps(event).encode()
    assert "timestamp" in event
    assert isinstance(event["event_original"], str)
    for column, value in event.items():
        if column == "extra":
            _check_extra(value)
        else:
            _check_value(column, value)
    _check_ecs(event)


def _check_extra(fields: Any) -> None:
    assert isinstance(fields, dict)
    assert fields, "an empty extra is left out"
    assert all(isinstance(name, str) and name for name in fields)


def _check_value(column: str, value: Any) -> None:
    kind = FIELDS[column].kind
    assert type(value) is _PYTHON[kind], column
    if kind in _LARGEST:
        assert -_LARGEST[kind] <= value < _LARGEST[kind], column
    if kind == "string" and column not in ("message", "event_original"):
        assert value, f"{column}: what is not there is left out"


def _is_a_document(event: Event) -> bool:
    """Whether somebody else made the event, and may have left out what we would not."""
    return '"ecs' in event["event_original"] or '"ecs' in event["message"]


def check_names(event: Event, names: frozenset[str]) -> None:
    """Every field of `extra` is one of ECS's, or stands under a name of the stream's own."""
    for name in event.get("extra", {}):
        group = name.partition(".")[0]
        assert name in NAMES or group in names, f"{name} is no field of ECS"


def _check_ecs(event: Event) -> None:
    assert event.get("event_kind", "pipeline_error") in KINDS
    assert event.get("event_outcome", "unknown") in OUTCOMES
    categories, types = event.get("event_category", []), event.get("event_type", [])
    allowed = set().union(*(TYPES[category] for category in categories))
    assert set(types) <= allowed
    assert types or not categories or _is_a_document(event)
    if event.get("ogrewatch_attempt"):
        assert event["ogrewatch_service"]
        assert event["event_outcome"] in ("success", "failure")
