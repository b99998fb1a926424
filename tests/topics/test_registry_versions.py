"""Tests that records of other versions are read as what they were, or refused, but never misread."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from event_strategies import columns as columns_of_all
from event_strategies import times
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_kit import changed, restored, text, written

from agents.counting.partition_counts import PartitionCounts
from topics.avro import wire
from topics.avro.codec import EVENTS, CodecError, UnknownSchema, decode, decode_head, encode, is_attempt
from topics.avro.wire import VERSIONS, first_bytes, own_id
from topics.documents.document import document_of
from topics.fields import COUNTED, TYPES, columns
from topics.records import stats
from topics.records.stats import WINDOWS

_TOLD = {"ogrewatch_raw_topic": "raw.syslog", "ogrewatch_raw_partition": 1, "ogrewatch_raw_offset": 7}
_EVENT = {
    "timestamp": 1_700_000_000_000_000,
    "event_created": 1_700_000_000_000_000,
    "ogrewatch_attempt": 2,
    "source_ip": "192.0.2.1",
    "user_name": "eva",
    "message": "m",
    "event_category": ["authentication"],
    **_TOLD,
}
_SHOE = {"name": "shoe_size", "type": "int", "default": -1, "ecs": "shoe.size"}


@pytest.fixture(autouse=True)
def _asking() -> Iterator[None]:
    """A process with a registry, and without one afterwards."""
    with restored(EVENTS, WINDOWS):
        EVENTS.asks = WINDOWS.asks = True
        yield


def _schema(kind: str = "authentication") -> Any:
    return copy.deepcopy(EVENTS.schemas[kind])


def test_the_package_keeps_the_schemas_of_this_version() -> None:
    for schema in [*EVENTS.schemas.values(), *WINDOWS.schemas.values()]:
        file = VERSIONS / f"{own_id(schema):08x}.avsc"
        assert file.exists(), "the schemas have changed: run scripts/keep-schemas"
        assert own_id(json.loads(file.read_text())) == own_id(schema)


def test_every_kept_schema_is_of_its_number_and_can_be_read() -> None:
    for file in VERSIONS.iterdir():
        number, schema = int(file.stem, 16), json.loads(file.read_text())
        assert own_id(schema) == number
        family = next(family for family in (EVENTS, WINDOWS) if schema["name"] in map(_name, family.schemas.values()))
        assert family.writer(first_bytes(number)).schema["name"] == f"ogrewatch.{schema['name']}"


def _name(schema: dict[str, Any]) -> str:
    return str(schema["name"])


@pytest.mark.parametrize("without", ["", "message", "error_message", "extra", "source_ip"])
@pytest.mark.parametrize("first", [None, {"name": "shoe_size", "type": "long", "default": 0}])
def test_an_event_of_other_columns_is_read_by_their_names(without: str, first: Any) -> None:
    schema = changed(_schema(), without=without, first=first)
    EVENTS.learn(3, text(schema))
    event = {column: value for column, value in _EVENT.items() if column != without}
    value = written(schema, 3, event)
    kind, found = decode(value)
    assert kind == "authentication"
    assert {column: found[column] for column in event} == event
    assert {field.column for field in columns(kind)} <= found.keys()
    assert is_attempt(value)
    head = {field.column: found[field.column] for field in COUNTED}
    assert decode_head(value) == head
    assert document_of(value) == document_of(encode(kind, event))


def test_what_has_no_column_any_more_is_kept_by_its_name() -> None:
    schema = changed(_schema(), fields=(_SHOE, {"name": "hat", "type": "string"}))
    EVENTS.learn(3, text(schema))
    assert decode(written(schema, 3, {**_EVENT, "shoe_size": 42, "hat": "top"}))[1]["extra"] == {
        "shoe.size": 42,
        "hat": "top",
    }
    assert decode(written(schema, 3, {**_EVENT, "hat": ""}))[1]["extra"] == {"hat": ""}
    document = orjson.loads(document_of(written(schema, 3, {**_EVENT, "shoe_size": 42, "hat": ""}))[2])
    assert document["shoe"] == {"size": 42}


def test_what_was_kept_by_its_name_comes_into_its_new_column() -> None:
    schema = changed(_schema("web"), without="http_version")
    EVENTS.learn(3, text(schema))
    _, found = decode(written(schema, 3, {**_EVENT, "extra": '{"http.version":"1.1"}'}))
    assert (found["http_version"], found["extra"]) == ("1.1", {})


def test_absent_is_absent_though_another_value_said_so() -> None:
    schema = _schema()
    port = next(field for field in schema["fields"] if field["name"] == "source_port")
    port["default"] = 0
    EVENTS.learn(3, text({**schema, "fields": [*schema["fields"], _SHOE]}))
    value = written({**schema, "fields": [*schema["fields"], _SHOE]}, 3, _EVENT)
    assert decode(value)[1]["source_port"] == -1


def test_a_narrower_number_is_read_and_another_type_refused() -> None:
    schema = _schema("web")
    field = next(field for field in schema["fields"] if field["name"] == "http_response_body_bytes")
    field.update(type="int")
    EVENTS.learn(3, text(schema))
    assert decode(written(schema, 3, {**_EVENT, "http_response_body_bytes": 9}))[1]["http_response_body_bytes"] == 9
    field.update(type="string", default="")
    EVENTS.learn(4, text(schema))
    with pytest.raises(CodecError):
        decode(written(schema, 4, {**_EVENT, "http_response_body_bytes": "9"}))


@given(kind=st.sampled_from(TYPES), event=st.fixed_dictionaries({"timestamp": times}, optional=columns_of_all))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_columns_does_not_matter(kind: str, event: dict[str, Any]) -> None:
    schema = {**_schema(kind), "fields": _schema(kind)["fields"][::-1]}
    EVENTS.learn(3, text(schema))
    there = {field.column for field in columns(kind)}
    event = {column: value for column, value in event.items() if column in there}
    assert decode(written(schema, 3, event)) == decode(encode(kind, event))


def test_a_schema_that_says_the_same_costs_nothing() -> None:
    same = {**_schema(), "doc": "as a registry may give it"}
    EVENTS.learn(3, text(same))
    value = first_bytes(3) + encode("authentication", {**_EVENT, "ogrewatch_attempt": 0})[5:]
    assert decode(value)[1]["user_name"] == "eva"
    assert EVENTS.today[value[:5]] == "authentication"
    assert not is_attempt(value)


@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        "[]",
        '"string"',
        '{"type":"record","name":"WebEvent","fields":[]}',
        '{"type":"record","name":"ogrewatch.WebEvent","fields":[{"name":"timestamp","type":"nothing"}]}',
        '{"type":"record","name":"com.example.Order","fields":[{"name":"timestamp","type":"long"}]}',
        text(WINDOWS.schemas["attempts"]),
        "[" * 100_000,
    ],
)
def test_a_number_of_something_else_is_refused_and_not_asked_for_again_at_once(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = first_bytes(9) + encode("web", _EVENT)[5:]
    for read in (decode, decode_head, document_of):
        with pytest.raises(UnknownSchema) as asked:
            read(value)
        assert asked.value.number == 9
    EVENTS.learn(9, said)
    for read in (decode, decode_head, document_of):
        with pytest.raises(CodecError, match="schema 9"):
            read(value)
    monkeypatch.setattr(wire, "_RETRY", -1.0)
    EVENTS.learn(9, said)
    with pytest.raises(UnknownSchema):
        decode(value)


def test_without_a_registry_its_numbers_are_refused() -> None:
    EVENTS.asks = False
    with pytest.raises(CodecError, match="schema 9"):
        decode(first_bytes(9) + encode("web", _EVENT)[5:])


def test_a_number_of_the_package_that_no_version_had_is_not_asked_for() -> None:
    with pytest.raises(CodecError, match="80000001"):
        decode(first_bytes(0x8000_0001) + encode("web", _EVENT)[5:])


def test_torn_events_of_other_versions_are_refused() -> None:
    schema = changed(_schema(), fields=(_SHOE,))
    EVENTS.learn(3, text(schema))
    whole = written(schema, 3, {**_EVENT, "shoe_size": 42})
    for end in range(5, len(whole)):
        with pytest.raises(CodecError):
            decode(whole[:end])


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_MOST", 10)
    before = len(EVENTS.today)
    for number in range(100):
        EVENTS.learn(number, text(_schema()) if number % 2 else None)
    assert len(EVENTS.today) <= before + 10
    with pytest.raises(UnknownSchema):
        decode(first_bytes(1) + encode("authentication", _EVENT)[5:])
    assert decode(first_bytes(99) + encode("authentication", _EVENT)[5:])[1]["user_name"] == "eva"


def test_a_window_of_other_columns_is_read() -> None:
    window = stats.AuthWindow("web", 3, "sshd", 60, 1, 2, 3, 4)
    schema = changed(WINDOWS.schemas["attempts"], first=_SHOE)
    fields = {name: getattr(window, name) for name in window.__slots__}
    value = written(schema, 12, fields)
    with pytest.raises(UnknownSchema):
        stats.decode(value)
    WINDOWS.learn(12, text(schema))
    assert stats.decode(value) == window
    less = changed(WINDOWS.schemas["attempts"], without="unknown")
    WINDOWS.learn(13, text(less))
    with pytest.raises(CodecError):
        stats.decode(written(less, 13, fields))


class _Record:
    topic, partition, timestamp = "events.authentication", 0, 1_700_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset, self.value = offset, value


def test_counting_stops_at_a_schema_it_must_ask_for_and_goes_on() -> None:
    log = PartitionCounts("events.authentication", "authentication", ord("a"), 0, 86_400)
    schema = changed(_schema(), first=_SHOE)
    ours = [encode("authentication", {**_EVENT, "ogrewatch_raw_offset": n}) for n in (1, 3)]
    other = written(schema, 3, {**_EVENT, "ogrewatch_raw_offset": 2, "ogrewatch_attempt": 5})
    none = written(schema, 3, {**_EVENT, "ogrewatch_raw_offset": 4, "ogrewatch_attempt": 0})
    records = [_Record(offset, value) for offset, value in enumerate([ours[0], other, ours[1], none])]
    with pytest.raises(UnknownSchema):
        log.count(records)
    assert (log.position, log.totals[0]) == (0, 2)
    EVENTS.learn(3, text(schema))
    log.count(records)
    assert (log.position, log.totals[0], log.undecodable) == (3, 9, [])
