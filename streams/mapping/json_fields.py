"""Maps the fields of a JSON record to columns by a table, and keeps the others.

A table maps the dotted path of a field to a column (`source_ip`), to an ECS field without one by its dotted name
(`rule.id`), or to a `Converter`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from streams.common.text import extra, is_ip, number, set_endpoint
from streams.mapping.json_record import kept
from streams.syslog.timestamps import set_instant
from topics.event import Event
from topics.fields import FIELDS

NUMBERS = frozenset(
    {
        *("event.duration", "event.sequence", "event.severity", "event.risk_score", "file.size"),
        *("network.bytes", "network.packets", "source.packets", "destination.packets", "url.port"),
        *("source.nat.port", "destination.nat.port", "process.parent.pid", "process.exit_code"),
        *("http.request.bytes", "http.request.body.bytes", "http.response.bytes"),
    }
)
"""Fields without a column that ECS says are numbers; all others are texts."""

Converter = Callable[[Event, Any], bool]
"""`convert(event, value)` sets columns; True when the whole value is in them, else it is kept in `extra` as well."""

_Table = dict[str, "Converter | _Table"]


class FieldMap:
    """The table of one stream's records.

    A value that its column cannot hold (an object as an address, a port of 70000) is kept like a field that the table
    does not name: in `extra`, in one object under the stream's name. Nothing of a record is lost.
    """

    def __init__(self, stream: str, table: Mapping[str, str | Converter]) -> None:
        """Compiles the table. Raises `ValueError` for a target that is neither a column nor a dotted name."""
        self._stream = stream
        self._table: _Table = {}
        for path, target in table.items():
            _place(self._table, path.split("."), converter_for(target) if isinstance(target, str) else target)

    def apply(self, record: dict[str, Any], event: Event) -> None:
        """Set columns and keep the other fields. The stream adds fields of its own to `extra` after this."""
        rest = _apply(record, self._table, event)
        if rest:
            extra(event)[self._stream] = kept(rest)


def _place(table: _Table, path: list[str], converter: Converter) -> None:
    for part in path[:-1]:
        table = table.setdefault(part, {})  # type: ignore[assignment]
    table[path[-1]] = converter


def _apply(record: dict[str, Any], table: _Table, event: Event) -> dict[str, Any]:
    """Set what the table names, and return the fields that are to be kept."""
    rest: dict[str, Any] = {}
    for name, value in record.items():
        entry = table.get(name)
        if type(entry) is dict and type(value) is dict:
            value = _apply(value, entry, event)
            if value:
                rest[name] = value
        elif entry is None or type(entry) is dict or not entry(event, value):  # type: ignore[operator]
            rest[name] = value
    return rest


def converter_for(target: str) -> Converter:
    """The converter to a column, or to a field by its dotted name, which refuses values of another type or range."""
    if target == "timestamp":
        return set_instant
    if target in ("source_ip", "destination_ip"):
        return _address_converter(target.removesuffix("_ip"))
    if target in ("source_port", "destination_port"):
        return _number_converter(target, 65535)
    if field := FIELDS.get(target):
        return _text_converter(target) if field.kind == "string" else _of_kind(target, field.kind)
    if "." not in target:
        raise ValueError(f"{target} is no column, and no dotted name")
    return _number_field_converter(target) if target in NUMBERS else _field_converter(target)


def _of_kind(column: str, kind: str) -> Converter:
    if kind not in ("int", "long"):
        raise ValueError(f"{column} is not to be set from a record")
    return _number_converter(column, 2**31 - 1 if kind == "int" else 2**63 - 1)


def _address_converter(side: str) -> Converter:
    def set_value(event: Event, value: Any) -> bool:
        if type(value) is not str:
            return False
        if is_ip(value):
            event[side + "_ip"] = value
        else:
            set_endpoint(event, side, value)
        return True

    return set_value


def _number_converter(column: str, largest: int) -> Converter:
    def set_value(event: Event, value: Any) -> bool:
        found = number(value) if type(value) is str else value
        if type(found) is not int or not 0 <= found <= largest:
            return False
        event[column] = found
        return True

    return set_value


def _text_converter(column: str) -> Converter:
    def set_value(event: Event, value: Any) -> bool:
        if type(value) in (int, float):
            value = str(value)
        if type(value) is not str:
            return False
        if value:
            event[column] = value
        return True

    return set_value


def _field_converter(name: str) -> Converter:
    def set_value(event: Event, value: Any) -> bool:
        values = value if type(value) is list else [value]
        if not all(type(member) in (str, int, float, bool) for member in values):
            return False
        if value not in ("", []):
            extra(event)[name] = _texts(value)
        return True

    return set_value


def _number_field_converter(name: str) -> Converter:
    def set_value(event: Event, value: Any) -> bool:
        found = number(value) if type(value) is str else value
        if type(found) not in (int, float):
            return False
        extra(event)[name] = found
        return True

    return set_value


def _texts(value: Any) -> Any:
    """Numbers become text, since a field that ECS calls a keyword has one type, whatever a record holds."""
    if type(value) is list:
        return [_texts(member) for member in value]
    return str(value) if type(value) in (int, float) else value
