"""Tests that events survive encoding whatever their columns hold, and that other bytes are refused."""

import copy
import json

import pytest
from event_strategies import VALUES, events, times
from event_strategies import columns as columns_of_all
from hypothesis import given
from hypothesis import strategies as st

from topics.avro.codec import CodecError, decode, decode_head, encode, is_attempt
from topics.documents.ecs import render
from topics.event import Event, id_of, key_of, kind_of
from topics.fields import ABSENT, COUNTED, TYPES, columns

_plain = st.fixed_dictionaries(
    {"timestamp": times},
    optional=columns_of_all
    | {"extra": st.dictionaries(st.sampled_from(["sshd.method", "a.b", "c"]), VALUES["long"], min_size=1)},
)


@given(kind=st.sampled_from(TYPES), event=_plain)
def test_every_column_comes_back_whether_its_type_has_it_or_not(kind: str, event: Event) -> None:
    before = copy.deepcopy(event)
    found_kind, found = decode(encode(kind, event))
    assert (found_kind, event) == (kind, before)
    assert {column: found[column] for column in event if column != "extra"} == {
        column: event[column] for column in event if column != "extra"
    }
    assert found["extra"] == event.get("extra", {})
    assert {field.column for field in columns(kind)} <= found.keys()


@given(event=events)
def test_a_document_is_json_and_names_its_time(event: Event) -> None:
    document = render(event)
    assert json.loads(json.dumps(document))["@timestamp"].endswith("Z")


def test_the_head_is_read_alone() -> None:
    event = {"timestamp": 5, "ogrewatch_attempt": 3, "source_ip": "192.0.2.1", "message": "m"}
    head = decode_head(encode("web", event))
    assert list(head) == [field.column for field in COUNTED]
    assert (head["ogrewatch_attempt"], head["source_ip"]) == (3, "192.0.2.1")


@pytest.mark.parametrize(("attempt", "expected"), [(0, False), (1, True), (200, True)])
def test_an_attempt_shows_without_decoding(attempt: int, expected: bool) -> None:
    assert is_attempt(encode("process", {"timestamp": 1, "ogrewatch_attempt": attempt})) is expected


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(CodecError):
        decode(value)


def test_a_torn_event_is_refused() -> None:
    whole = encode("system", {"timestamp": 1, "message": "hello"})
    for end in range(5, len(whole)):
        with pytest.raises(CodecError):
            decode(whole[:end])


@pytest.mark.parametrize("wrong", [{"timestamp": "noon"}, {"extra": {"a": 2**64}}, {"message": "\ud800"}])
def test_a_value_that_cannot_be_written_is_refused(wrong: Event) -> None:
    with pytest.raises(CodecError):
        encode("system", {"timestamp": 1, **wrong})


def test_absent_values_are_left_out_of_documents() -> None:
    _, event = decode(encode("network", {"timestamp": 1_000_000}))
    assert render(event) == {
        "@timestamp": "1970-01-01T00:00:01.000Z",
        "ecs": {"version": "8.17.0"},
        "event": {"kind": "event"},
    }
    assert ABSENT["string"] == ""


def test_an_event_knows_its_topic_key_and_identity() -> None:
    event = {
        "event_category": ["authentication", "session"],
        "source_ip": "192.0.2.7",
        "ogrewatch_raw_topic": "raw.syslog",
        "ogrewatch_raw_partition": 2,
        "ogrewatch_raw_offset": 41,
    }
    assert (kind_of(event), key_of(event), id_of(event)) == ("authentication", b"192.0.2.7", "raw.syslog-2-41")
    assert (kind_of({}), key_of({"host_hostname": "web1"})) == ("system", b"web1")
