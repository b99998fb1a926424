"""Tests that encoded events equal those of fastavro, byte for byte, and that values of a wrong type are refused."""

from io import BytesIO
from typing import Any

import orjson
import pytest
from event_strategies import VALUES, columns, times
from fastavro import schemaless_writer
from hypothesis import example, given
from hypothesis import strategies as st

from topics.avro.codec import EVENTS, CodecError, encode
from topics.avro.encoder import _CACHED, _SHORT, _Cache
from topics.avro.overflow import to_overflow
from topics.avro.schemas import parsed
from topics.event import Event
from topics.fields import TYPES
from topics.fields import columns as columns_of

_MOST = 2**63 - 1
_events = st.fixed_dictionaries({}, optional=columns | {"timestamp": times, "source_bytes": VALUES["long"]})


def _by_fastavro(kind: str, event: Event) -> bytes:
    event = to_overflow(event, frozenset(field.column for field in columns_of(kind)))
    event["extra"] = orjson.dumps(event["extra"]).decode() if event["extra"] else ""
    buffer = BytesIO()
    schemaless_writer(buffer, parsed(kind), event)
    return EVENTS.first[kind] + buffer.getvalue()


@given(kind=st.sampled_from(TYPES), event=_events)
def test_events_are_written_as_fastavro_writes_them(kind: str, event: Event) -> None:
    assert encode(kind, event) == _by_fastavro(kind, event)


@given(st.integers(-_MOST - 1, _MOST))
@example(_MOST)
@example(-_MOST - 1)
@pytest.mark.parametrize("column", ["timestamp", "ogrewatch_raw_offset", "log_syslog_priority"])
def test_numbers_of_every_length(column: str, number: int) -> None:
    assert encode("system", {column: number}) == _by_fastavro("system", {column: number})


@pytest.mark.parametrize("size", [0, 1, 63, 64, 8191, 8192, 1 << 20])
@pytest.mark.parametrize("column", ["message", "event_dataset"])
def test_texts_of_every_length(column: str, size: int) -> None:
    event = {column: "é" * (size // 2) + "e" * (size % 2)}
    assert encode("web", event) == _by_fastavro("web", event)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timestamp": 2**63},
        {"timestamp": -(2**63) - 1},
        {"timestamp": 1.5},
        {"timestamp": None},
        {"ogrewatch_raw_offset": "7"},
        {"message": b"bytes"},
        {"message": 7},
        {"event_dataset": None},
        {"event_category": [1]},
        {"event_category": None},
        {"source_geo_lat": "north"},
        {"extra": {"a": object()}},
    ],
)
def test_what_is_no_value_of_its_column_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(CodecError, match="network"):
        encode("network", wrong)


def test_a_cache_keeps_short_values_only_and_not_too_many() -> None:
    cache = _Cache(str.encode)
    assert cache["x" * (_SHORT + 1)] == b"x" * (_SHORT + 1)
    assert not cache
    for number in range(_CACHED + 1):
        assert cache[str(number)] == str(number).encode()
    assert len(cache) == 1
