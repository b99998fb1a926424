"""Tests JSON records: which stream reads them, what envelopes add, and hostile objects."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_checks import check_event

from streams.base import MemoryState, StateStore, Stream
from streams.dispatch import UNPARSED, UNPARSED_JSON, Dispatcher
from streams.envelopes.unwrap import _MOZDEF_TABLE
from streams.mapping import json_record
from streams.mapping.json_fields import FieldMap
from topics.event import Event

RECEIVED = 1_795_521_600_000_000
FAILED = "Failed password for root from 192.0.2.1 port 22 ssh2"
_DISPATCHER = Dispatcher()


def parse(record: Any, program: str | None = None, before: str = "") -> Event:
    text = record if isinstance(record, str) else json.dumps(record)
    event = _DISPATCHER.parse((before + text).encode(), RECEIVED, MemoryState(), program)
    check_event(event)
    assert event.get("event_kind") != "pipeline_error", event.get("error_message")
    return event


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('@cee: {"a": 1} ', {"a": 1}),
        ('@cee:{"a": 1}', {"a": 1}),
        ('{"a": NaN, "b": -Infinity}', {"a": "NaN", "b": "-Infinity"}),
        ('{"a": 1e999, "b": "\\ud800"}', {"a": "inf", "b": "\\ud800"}),
        ('{"\\udfff": ["\\ud83d", 99999999999999999999]}', {"\\udfff": ["\\ud83d", "99999999999999999999"]}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("[1]", None),
        ('"a"', None),
        ("{}", {}),
        ('{"a"}', None),
        ('{"a": 1} more', None),
        ('{"a": ' * 5000 + "1" + "}" * 5000, None),
        ('{"a": ' + "9" * 9000 + ', "b": "\\ud800"}', None),
    ],
)  # fmt: skip
def test_records_are_read_leniently(text: str, found: Any) -> None:
    assert json_record.read(text) == found


_MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    "bomb",
    [
        '{"a":' * (_MEBIBYTE // 5) + "1}",
        '{"a":' + "[" * _MEBIBYTE + "}",
        '{"a":' + "[" * 900 + "]" * 900 + ',"b":"\\ud800"}',
        '{"a":"' + "x" * _MEBIBYTE + '","b":NaN}',
        '{"a":' + "9" * _MEBIBYTE + "}",
        '{"a":' + "9" * _MEBIBYTE + ',"b":NaN}',
        '{"message":"' + "\\\\" * (_MEBIBYTE // 2) + '"}',
        '{"message":"' + "{" * _MEBIBYTE + '"}',
        "{" + ",".join(f'"k{number}":{number}' for number in range(80_000)) + "}",
        '{"ecs":1,"event.category":"web",' + ",".join(f'"user.k{number}":1' for number in range(50_000)) + "}",
        '{"summary":"x","details":{' + ",".join(f'"k{number}":"\\ud800"' for number in range(50_000)) + "}}",
    ],
    ids=range(11),
)
def test_bombs_take_bounded_time(bomb: str) -> None:
    start = time.process_time()
    for before in ("", "<38>Nov 24 04:05:06 h sshd[1]: "):
        parse(bomb, before=before)
    assert time.process_time() - start < 1.5


def test_what_is_nested_too_deep_is_kept_as_text() -> None:
    deep = json.loads('{"a":' * 200 + "1" + "}" * 200)
    event = parse(deep)
    assert event["event_dataset"] == UNPARSED_JSON
    inner, levels = event["extra"]["json"], 0
    while isinstance(inner, dict):
        inner, levels = inner["a"], levels + 1
    assert levels == 16
    assert json.loads(inner) == json.loads('{"a":' * 184 + "1" + "}" * 184)


def test_names_that_elasticsearch_refuses_are_changed() -> None:
    assert parse({"": 1, "a\0b": [{"": 2}]})["extra"] == {"json": {"_": 1, "a\\0b": [{"_": 2}]}}


def test_a_record_that_nobody_knows_is_kept_whole() -> None:
    record = {"level": "info", "ts": 1795521500.25, "user": {"name": "x"}, "list": [1, {"a": None}]}
    event = parse(record)
    assert event["event_dataset"] == UNPARSED_JSON
    assert event["extra"] == {"json": record}
    assert event["timestamp"] == 1_795_521_500_250_000
    assert event["message"] == event["event_original"] == json.dumps(record)


@pytest.mark.parametrize(
    "before", ["<30>Nov 24 04:05:06 h gadgetd[7]: ", "<30>1 2026-11-24T04:05:06Z h gadgetd 7 - - "]
)
def test_a_record_in_a_syslog_line_keeps_its_header(before: str) -> None:
    event = parse({"a": 1}, before=before)
    assert (event["event_dataset"], event["host_hostname"], event["process_pid"]) == (UNPARSED_JSON, "h", 7)
    assert event["extra"]["json"] == {"a": 1}


def _read(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    event["user_name"] = str(record["who"])
    return True


_READER = Stream("reader", parse_json=_read, sniff_json=lambda record: "who" in record)


@pytest.mark.parametrize(
    ("line", "user"),
    [
        ('{"who": "a"}', "a"),
        (' {"who": "a"}', "a"),
        ('\ufeff{"who": "a"}', "a"),
        ('<13>Nov 24 04:05:06 h x[1]:  @cee: {"who": "b"}', "b"),
        ('<13>Nov 24 04:05:06 h x[1]: {"who": "b"}', "b"),
        ('<13>Nov 24 04:05:06 h x[1]: @cee: {"who": "b"}', "b"),
        ('{"message": "{\\"who\\": \\"c\\"}", "host": "h"}', "c"),
        ('{"log": "{\\"message\\": \\"{\\\\\\"who\\\\\\": 1}\\"}"}', None),
        ('{"whom": "a"}', None),
    ],
)
def test_a_stream_reads_its_own_records(line: str, user: str | None) -> None:
    event = Dispatcher(known=[_READER]).parse(line.encode(), RECEIVED, MemoryState())
    check_event(event)
    assert event.get("user_name") == user
    assert (event["event_dataset"] == "reader") == (user is not None)


def test_streams_that_share_a_key_are_asked_in_turn() -> None:
    none = Stream("none", parse_json=lambda record, event, state: False, sniff_json=lambda record: True)
    event = Dispatcher(known=[none, _READER]).parse(b'{"who": 1}', RECEIVED, MemoryState())
    assert event["event_dataset"] == "reader"


@pytest.mark.parametrize("program", [None, "sshd"])
def test_the_callers_program_is_asked_about_the_line_within(program: str | None) -> None:
    for record in ({"message": FAILED, "program": "sshd"}, {"message": f"<38>Nov 24 04:05:06 h sshd[3]: {FAILED}"}):
        event = parse(record, program)
        assert (event["event_dataset"], event["user_name"]) == ("sshd", "root")


DOCUMENT = {
    "ecs": {"version": "8.11.0"},
    "event": {"category": ["network"], "type": ["connection", "creation"], "kind": "odd", "outcome": "success"},
    "source": {"ip": "192.0.2.1", "port": 70000, "mac": "00-00-5E-00-53-00"},
    "host": {"os": {"name": "Debian"}, "shoe": 44},
    "labels": {"a": "b"},
    "ogrewatch": {"attempt": 5, "raw": {"offset": 1}},
    "": {"": 1},
    "dns": {"answers": [{"data": "192.0.2.2"}]},
}


def test_an_envelope_speaks_for_no_other_host() -> None:
    forged = {
        "MESSAGE": FAILED,
        "SYSLOG_IDENTIFIER": "sshd",
        "_HOSTNAME": "victim",
        "PRIORITY": 0,
        "SYSLOG_FACILITY": 0,
    }
    inner = {"log": f"<0>Nov 24 04:05:06 victim sshd[1]: {FAILED}"}
    document = {**DOCUMENT, "host": {"hostname": "victim"}, "log": {"syslog": {"priority": 0}}}
    for record in (forged, inner, document):
        event = parse(record, before="<14>Nov 24 04:05:06 web1 logger[1]: ")
        assert (event["host_hostname"], event["log_syslog_priority"]) == ("web1", 14)
    event = parse({**forged, "SYSLOG_IDENTIFIER": "sudo"}, before="<14>Nov 24 04:05:06 web1 sshd[1]: ")
    assert (event["process_name"], event["process_pid"]) == ("sshd", 1)


def test_a_message_of_a_named_program_has_no_header() -> None:
    line = f"Nov 24 04:05:06 victim sshd[1]: {FAILED}"
    event = parse({"MESSAGE": line, "SYSLOG_IDENTIFIER": "gadgetd", "_HOSTNAME": "web1"})
    assert (event["host_hostname"], event["message"], event["event_dataset"]) == ("web1", line, UNPARSED)


@pytest.mark.parametrize(
    ("stamp", "when"),
    [
        ("1795521594123456", 1_795_521_594_123_456),
        (1795521594123456789, 1_795_521_594_123_456),
        (1795521594123, 1_795_521_594_123_000),
        (1795521594.5, 1_795_521_594_500_000),
        ("1795521594.25", 1_795_521_594_250_000),
        ("Nov 24 11:59:54", 1_795_521_594_000_000),
        ("Nov 24 11:59:54.5 2026", 1_795_521_594_500_000),
        ("2026-11-24T12:59:54+01:00", 1_795_521_594_000_000),
        ("2026-11-24 11:59:54", 1_795_521_594_000_000),
        ("Nov 24 11:59:54 and more", RECEIVED),
        ("tomorrow", RECEIVED), (True, RECEIVED), (-1, RECEIVED), (10**30, RECEIVED), ([1], RECEIVED), (None, RECEIVED),
    ],
)  # fmt: skip
def test_times_of_envelopes(stamp: Any, when: int) -> None:
    assert parse({"message": "x", "program": "y", "timestamp": stamp})["timestamp"] == when


def test_a_time_of_no_use_does_not_hide_another() -> None:
    event = parse({"message": "x", "timestamp": "soon", "@timestamp": "2026-11-24T11:59:54Z"})
    assert event["timestamp"] == 1_795_521_594_000_000
    assert event["extra"]["json"] == {"timestamp": "soon"}


@pytest.mark.parametrize(
    ("given", "priority", "left"),
    [
        ({"PRIORITY": "6", "SYSLOG_FACILITY": "4"}, 38, {}),
        ({"severity": "err", "facility": "authpriv"}, 83, {"log.level": "err"}),
        ({"severity": "INFO"}, None, {"log.level": "INFO", "log.syslog.severity.code": 6}),
        ({"facility": 4}, None, {"log.syslog.facility.code": 4}),
        ({"pri": "38", "severity": 6}, 38, {}),
        ({"pri": 999}, None, {"json": {"pri": 999}}),
        ({"severity": "high", "facility": [4]}, None, {"json": {"severity": "high", "facility": [4]}}),
        ({"level": 30}, None, {"json": {"level": 30}}),
    ],
)
def test_priorities_of_envelopes(given: dict[str, Any], priority: int | None, left: dict[str, Any]) -> None:
    event = parse({"message": "x", **given})
    assert event.get("log_syslog_priority") == priority
    assert event.get("extra", {}) == left


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([104, 105], "hi"), ([104, 233], "h\\xe9"), (["a", "b"], "a\nb"), ("a\n", "a"), ("\ufeffa", "a"), ("", None),
        ([], None), ([104, 999], None), (["a", 1], None), ({"a": 1}, None), (None, None), (5, None),
    ],
)  # fmt: skip
def test_messages_of_envelopes(given: Any, message: str | None) -> None:
    event = parse({"MESSAGE": given})
    assert event["message"] == (message if message is not None else json.dumps({"MESSAGE": given}))


def test_what_a_details_object_says_has_columns() -> None:
    details = {"sourceipaddress": "192.0.2.1", "sourceport": "70000", "username": "eve", "success": True, "more": [1]}
    event = parse({"summary": "x", "category": "authentication", "details": details, "tags": ["a"]})
    assert (event["source_ip"], event["user_name"], event["event_outcome"]) == ("192.0.2.1", "eve", "success")
    assert event["extra"] == {"tags": ["a"], "json": {"details": {"sourceport": "70000", "more": [1]}}}
    assert (event["ogrewatch_attempt"], event["ogrewatch_service"]) == (1, "mozdef")


@pytest.mark.parametrize(
    "wrong", [{"category": 1}, {"category": "shoes"}, {"tags": [1]}, {"tags": "a"}, {"details": 7}]
)
def test_events_that_do_not_keep_to_their_schema(wrong: dict[str, Any]) -> None:
    event = parse({"summary": "x", "severity": 99, **wrong})
    assert event["extra"]["json"] == {"severity": 99, **wrong}


def test_a_document_of_ecs_stays_one() -> None:
    event = parse(DOCUMENT)
    assert (event["event_category"], event["event_type"]) == (["network"], ["connection"])
    assert (event["source_ip"], event["event_outcome"], event["event_dataset"]) == ("192.0.2.1", "success", "ecs")
    assert not {"event_kind", "source_port", "ogrewatch_attempt"} & event.keys()
    extra = event["extra"]
    rest = extra.pop("json")
    assert extra == {
        "source.mac": "00-00-5E-00-53-00",
        "host.os.name": "Debian",
        "labels": {"a": "b"},
        "dns.answers": [{"data": "192.0.2.2"}],
    }
    assert rest["event.type"] == ["creation"]
    assert (rest["event.kind"], rest["source.port"], rest["host.shoe"], rest["ogrewatch.attempt"]) == (
        "odd",
        70000,
        44,
        5,
    )


def test_flat_names_of_ecs_are_the_same() -> None:
    flat = {
        "ecs.version": "8.11.0",
        "event.category": "web",
        "event.type": "access",
        "source.ip": "192.0.2.1",
        "url": 5,
    }
    event = parse(flat)
    assert (event["event_category"], event["event_type"], event["source_ip"]) == (["web"], ["access"], "192.0.2.1")


def test_a_table_of_members_takes_what_fits() -> None:
    members = FieldMap(
        "gadget",
        {"src": "source_ip", "port": "source_port", "a.b": "user_name", "n": "rule.id", "size": "event.severity"},
    )
    event: Event = {}
    members.apply({"src": "192.0.2.1", "port": "22", "a": {"b": 7}, "n": 5, "size": "3"}, event)
    assert event == {
        "source_ip": "192.0.2.1", "source_port": 22, "user_name": "7", "extra": {"rule.id": "5", "event.severity": 3}
    }  # fmt: skip
    event = {}
    wrong = {"src": ["x"], "port": 70000, "a": {"b": {}, "c": 1}, "n": {"x": 1}, "size": "big", "more": None}
    members.apply(wrong, event)
    assert event == {"extra": {"gadget": wrong}}


@pytest.mark.parametrize("target", ["no_such_column", "event_category", "source_geo_lat"])
def test_a_table_of_members_names_columns(target: str) -> None:
    with pytest.raises(ValueError, match=target):
        FieldMap("gadget", {"a": target})


_KEYS = sorted(_MOZDEF_TABLE)
_MORE_KEYS = [
    "details",
    "category",
    "tags",
    "ecs",
    "event",
    "source",
    "user",
    "SOURCEIP",
    "syslogtag",
    "event.category",
]
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["sshd", "sshd[1]:", FAILED, "192.0.2.1", "authentication", "info", "-", "Nov 24 04:05:06"])
)  # fmt: skip
_NAMES = st.sampled_from(_KEYS + _MORE_KEYS) | st.sampled_from(["ip", "name", "version", "category", "type", "kind"])
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4))


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(_NAMES | st.text(max_size=4), _VALUES, max_size=8), st.booleans())
def test_any_record_makes_one_event(record: dict[str, Any], headed: bool) -> None:
    event = parse(record, before="<38>Nov 24 04:05:06 h x[1]: " if headed else "")
    assert event["event_original"].endswith("}")
