"""Tests that the quick reader of attempt headers finds what the general reader finds, for any event."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from topics.avro.attempt_header import (
    ARRIVAL,
    LONGEST,
    AttemptHeader,
    arrival,
    decode_attempt,
    outcome_and_service,
    stamp,
)
from topics.avro.codec import CodecError, decode_head, encode

USUAL: dict[str, Any] = {
    "ogrewatch_attempt": 1,
    "timestamp": 1_800_000_000_123_456,
    "event_created": 1_800_000_000_200_000,
    "ogrewatch_raw_topic": "raw.syslog",
    "ogrewatch_raw_partition": 3,
    "ogrewatch_raw_offset": 1_234_567,
    "event_outcome": "failure",
    "ogrewatch_service": "sshd",
    "source_ip": "2001:db8::7",
    "user_name": "root",
    "host_hostname": "web1",
    "source_geo_country_iso_code": "NL",
}
_longs = st.sampled_from([-1, 0, 63, 64, 2**48 - 1, 2**48, 2**55 - 1, 2**55, 2**62, -(2**62)]) | st.integers(0, 2**53)
_texts = st.text(max_size=8) | st.sampled_from(["é" * 31, "x" * 63, "x" * 64, "é" * 400])
_OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "ogrewatch_attempt": st.sampled_from([-1, 0, 1, 5, 63, 64, 70_000]),
    "ogrewatch_raw_partition": st.sampled_from([-1, 0, 63, 64]),
    **dict.fromkeys(("timestamp", "event_created", "ogrewatch_raw_offset"), _longs),
    **{column: _texts for column, value in USUAL.items() if isinstance(value, str)},
}


def plainly(value: bytes) -> AttemptHeader | None:
    number, at, _, topic, partition, offset, outcome, *names = decode_head(value).values()
    if number <= 0:
        return None
    service, address, user, host, country = (name[:LONGEST] for name in names)
    return AttemptHeader(number, at, (topic, partition), offset, outcome, service, address, user, host, country)


@given(st.fixed_dictionaries({}, optional=_OTHERS))
@example({})
def test_both_readers_find_the_same(changed: dict[str, Any]) -> None:
    value = encode("authentication", {**USUAL, **changed})
    assert decode_attempt(value) == plainly(value)


@given(st.fixed_dictionaries({}, optional=_OTHERS))
@example({})
def test_an_event_says_when_its_line_came(changed: dict[str, Any]) -> None:
    value = encode("authentication", {**USUAL, **changed})
    assert arrival(value) == decode_head(value)["event_created"] // 1000


@given(st.fixed_dictionaries({}, optional=_OTHERS), st.fixed_dictionaries({}, optional=_OTHERS))
@example({}, {"timestamp": 0})
def test_what_has_the_same_stamp_came_at_the_same_time(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = (encode("web", {**USUAL, **changed}) for changed in (one, other))
    if stamp(first) and stamp(first) == second[ARRIVAL]:
        assert arrival(first) == arrival(second)


_FEW = {
    **_OTHERS,
    "event_outcome": st.sampled_from(["failure", "success", "", "x" * 64]),
    "ogrewatch_service": st.sampled_from(["sshd", "ldap", ""]),
    "ogrewatch_attempt": st.sampled_from([1, 2, 70]),
}


@given(st.fixed_dictionaries({}, optional=_FEW), st.fixed_dictionaries({}, optional=_FEW))
@example({}, {"user_name": "bob"})
@example({"event_outcome": "", "ogrewatch_service": "sshd"}, {"event_outcome": "sshd", "ogrewatch_service": ""})
def test_equal_bytes_of_outcome_and_service_mean_that_both_are_equal(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = (encode("authentication", {**USUAL, **changed}) for changed in (one, other))
    if outcome_and_service(first) and outcome_and_service(first) == outcome_and_service(second):
        names = ("ogrewatch_attempt", "event_outcome", "ogrewatch_service")
        found = [decode_head(value) for value in (first, second)]
        asked = [[header[name] for name in names] for header in found]
        assert asked[0] == asked[1]


def test_nearly_all_events_have_bytes_of_outcome_and_service() -> None:
    assert outcome_and_service(encode("authentication", USUAL)) == b"\x02\x0efailure\x08sshd"
    assert not outcome_and_service(encode("authentication", {**USUAL, "ogrewatch_service": "x" * 64}))


def test_nearly_all_events_have_a_stamp() -> None:
    assert stamp(encode("web", USUAL))


def test_a_torn_event_is_refused_or_whole_by_then() -> None:
    whole = encode("authentication", USUAL)
    found = decode_attempt(whole)
    assert found is not None
    for end in range(6, len(whole)):
        try:
            assert decode_attempt(whole[:end]) == found
        except CodecError:
            with pytest.raises(CodecError):
                decode_head(whole[:end])
        else:
            assert decode_head(whole[:end]) == decode_head(whole)


@given(st.binary(max_size=120))
def test_what_follows_a_known_schema_and_is_no_event_is_refused_or_read_alike(rest: bytes) -> None:
    value = encode("authentication", USUAL)[:6] + rest
    try:
        expected = plainly(value)
    except CodecError:
        with pytest.raises(CodecError):
            decode_attempt(value)
    else:
        assert decode_attempt(value) == expected


def test_a_number_without_an_end_is_given_up_soon() -> None:
    value = encode("authentication", USUAL)
    with pytest.raises(CodecError):
        decode_attempt(value[:34] + b"\xff" * (1 << 20))
