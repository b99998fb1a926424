"""Makes an event of a record that is an ECS document: fields that have a column go there, others keep their names.

https://www.elastic.co/docs/reference/ecs
"""

from typing import Any

from streams.common.ecs_names import NAMES, leaves
from streams.common.ecs_values import KINDS, OUTCOMES, TYPES
from streams.common.text import extra
from streams.mapping.json_fields import Converter, FieldMap
from topics.event import Event
from topics.fields import FIELDS


def sniff(record: dict[str, Any]) -> bool:
    """Whether a record is an ECS document with a category: one without a category is an envelope."""
    about = record.get("event")
    return ("ecs" in record or "ecs.version" in record) and (
        (type(about) is dict and bool(about.get("category"))) or bool(record.get("event.category"))
    )


def parse(record: dict[str, Any], event: Event) -> None:
    """The event as the document has it. What is no ECS field, or no value of one, is kept in `json`."""
    _FIELD_MAP.apply(_nested(record), event)
    fields = extra(event)
    rest: dict[str, Any] = {}
    for name, value in leaves(fields.pop("json", {})):
        (fields if name in _WITHOUT_COLUMN else rest)[name] = value
    rest.pop("ecs.version", None)
    if unfit := _unfit_types(event):
        rest["event.type"] = unfit
    if rest:
        fields["json"] = rest
    if not fields:
        del event["extra"]
    event.setdefault("event_dataset", "ecs")


def _unfit_types(event: Event) -> list[str]:
    """Remove the types that do not go with the event's categories."""
    allowed = set().union(*(TYPES[category] for category in event.get("event_category", [])))
    types = event.pop("event_type", [])
    if fit := [name for name in types if name in allowed]:
        event["event_type"] = fit
    return [name for name in types if name not in allowed]


def _nested(record: dict[str, Any]) -> dict[str, Any]:
    """The record with dotted names at its top, such as `event.category`, made objects."""
    nested: dict[str, Any] = {name: value for name, value in record.items() if "." not in name}
    opened: dict[str, dict[str, Any]] = {}
    for name, value in record.items():
        first, dot, more = name.partition(".")
        if dot and type(inner := nested.get(first, {})) is dict:
            if first not in opened:
                nested[first] = opened[first] = dict(inner)
            opened[first][more] = value
        elif dot:
            nested[name] = value
    return nested


def _categories(event: Event, value: Any) -> bool:
    found = _strings(value)
    if not found or not TYPES.keys() >= set(found):
        return False
    event["event_category"] = found
    return True


def _types(event: Event, value: Any) -> bool:
    found = _strings(value)
    if found:
        event["event_type"] = found
    return bool(found)


def _strings(value: Any) -> list[str]:
    values = [value] if type(value) is str else value
    return values if type(values) is list and all(type(member) is str for member in values) else []


def _one_of(column: str, values: set[str]) -> Converter:
    def convert(event: Event, value: Any) -> bool:
        if type(value) is not str or value not in values:
            return False
        event[column] = value
        return True

    return convert


_WITHOUT_COLUMN = NAMES - {field.ecs for field in FIELDS.values()} - {"ecs.version"}
_OURS = ("ogrewatch.", "event.created")
_TABLE: dict[str, str | Converter] = {
    field.ecs: field.column
    for field in FIELDS.values()
    if field.kind in ("string", "int", "long") and not field.ecs.startswith(_OURS)
}
_TABLE |= {"event.category": _categories, "event.type": _types}
_TABLE |= {"event.kind": _one_of("event_kind", KINDS), "event.outcome": _one_of("event_outcome", OUTCOMES)}
_FIELD_MAP = FieldMap("json", _TABLE)
