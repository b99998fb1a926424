"""Tests that the fast method makes the same document as the plain one for any event, and refuses damaged bytes."""

import orjson
import pytest
from event_strategies import events
from hypothesis import example, given, settings
from hypothesis import strategies as st

from topics.avro.codec import CodecError, decode, encode
from topics.documents.document import document_of
from topics.documents.ecs import render
from topics.event import Event, id_of
from topics.fields import TYPES

_WHOLE: Event = {
    "timestamp": 1_764_000_000_123_456,
    "event_created": 1_764_000_001_000_000,
    "ogrewatch_attempt": 1,
    "ogrewatch_raw_topic": "raw.syslog",
    "ogrewatch_raw_partition": 3,
    "ogrewatch_raw_offset": 2**40,
    "event_outcome": "failure",
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "ssh_login",
    "event_dataset": "sshd",
    "event_original": "<38>" + "long " * 100,
    "ogrewatch_service": "sshd",
    "source_ip": "192.0.2.1",
    "source_port": 53030,
    "source_geo_country_iso_code": "NL",
    "source_geo_continent_code": "EU",
    "source_geo_lat": 52.3,
    "source_geo_lon": 4.9,
    "source_as_number": 64496,
    "user_name": 'a "quoted" \x00 name',
    "user_effective_name": "root",
    "host_hostname": "web1",
    "process_name": "sshd",
    "process_pid": 4711,
    "log_syslog_priority": 38,
    "destination_ip": "198.51.100.1",
    "extra": {"sshd.method": "password", "event.code": "7", "user.id": "0"},
}
_PLAIN = {**_WHOLE, "extra": {"related.ip": ["203.0.113.7"], "source.geo.name": "here"}}


def _plainly(value: bytes) -> tuple[str, str, object]:
    kind, event = decode(value)
    return kind, id_of(event), orjson.loads(orjson.dumps(render(event)))


@settings(max_examples=200)
@given(kind=st.sampled_from(TYPES), event=events)
@example(kind="authentication", event=_WHOLE)
@example(kind="network", event=_WHOLE)
@example(kind="system", event=_PLAIN)
@example(kind="web", event={"timestamp": 0, "event_created": -1, "process_pid": 0, "log_syslog_priority": 0})
def test_both_methods_give_the_same_document(kind: str, event: Event) -> None:
    value = encode(kind, event)
    expected = _plainly(value)
    for _ in range(2):  # the second time from what the first has left in memory
        found_kind, identity, document = document_of(value)
        assert (found_kind, identity, orjson.loads(document)) == expected
    assert expected[2] == orjson.loads(orjson.dumps(render(event)))


def _saying(column: str) -> tuple[str, Event]:
    """Little enough to go the fast way."""
    return "system", {name: _WHOLE[name] for name in list(_WHOLE)[:6]} | {column: "x"}


@example([_saying("event_outcome"), _saying("event_action"), _saying("event_dataset")])
@given(st.lists(st.tuples(st.sampled_from(TYPES), events), max_size=8))
def test_what_is_remembered_of_one_event_does_not_change_another(many: list[tuple[str, Event]]) -> None:
    values = [encode(kind, event) for kind, event in many for _ in range(2)]
    found = [document_of(value) for value in values]
    assert [(kind, name, orjson.loads(document)) for kind, name, document in found] == list(map(_plainly, values))


@pytest.mark.parametrize("kind", TYPES)
def test_a_torn_event_is_refused(kind: str) -> None:
    whole = encode(kind, _WHOLE)
    for end in range(len(whole)):
        with pytest.raises(CodecError):
            document_of(whole[:end])
    with pytest.raises(CodecError):
        document_of(whole + b"\0")


@given(at=st.integers(5, 10**6), byte=st.integers(0, 255))
def test_a_changed_byte_gives_a_document_or_an_error(at: int, byte: int) -> None:
    value = bytearray(encode("authentication", _WHOLE))
    value[5 + at % (len(value) - 5)] = byte
    try:
        _, _, document = document_of(bytes(value))
    except CodecError:
        return
    assert orjson.loads(document)["@timestamp"]
    assert b"\n" not in document


def test_text_that_is_not_utf8_is_refused() -> None:
    value = encode("system", {"timestamp": 1, "message": "abcdef", "user_name": "ghijkl"})
    for word in (b"abcdef", b"ghijkl"):
        with pytest.raises(CodecError):
            document_of(value.replace(word, b"\xff" * 6))
