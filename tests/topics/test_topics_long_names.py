"""Tests that members with names too long for Elasticsearch become text, and that all else stays the same."""

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.avro.codec import encode
from topics.documents.document import document_of
from topics.documents.ecs import render
from topics.documents.long_names import LONGEST, TEXT, without_long_names

LONG = "n" * (LONGEST + 1)
_names = st.sampled_from(["a", "b.c", "é" * (LONGEST // 3), "x" * (LONGEST // 2), "y" * (LONGEST - 3), LONG])
_json: st.SearchStrategy[Any] = st.recursive(
    st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=8,
)


def _longest(value: Any) -> int:
    if isinstance(value, dict):
        return max((len(name.encode()) + 1 + _longest(member) for name, member in value.items()), default=0)
    return max(map(_longest, value), default=0) if isinstance(value, list) else 0


@given(st.dictionaries(_names, _json, max_size=3))
def test_no_name_stays_too_long_and_nothing_is_lost(extra: dict[str, Any]) -> None:
    kept = without_long_names(extra)
    assert _longest(kept) <= LONGEST + len(TEXT) + 1
    if _longest(extra) <= LONGEST:
        assert kept is extra
    assert _whole(kept) == extra


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(member) for member in value]
    if not isinstance(value, dict):
        return value
    text = value.get(TEXT)
    return {name: _whole(member) for name, member in value.items() if name != TEXT} | (
        orjson.loads(text) if text else {}
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"json": {LONG: 1, "a": 2}},
        {"json": {"a": [{"b": {LONG: [1]}}]}},
        {"json": {"x" * 9000: {"y" * 9000: {"z": 1}, "b": 1}}},
        {f"sshd.{LONG}": "a", "sshd.method": "b"},
    ],
)
def test_both_methods_do_the_same(extra: dict[str, Any]) -> None:
    event = {"timestamp": 0, "event_created": 0, "ogrewatch_raw_topic": "t", "extra": extra}
    _, _, source = document_of(encode("system", event))
    document = orjson.loads(source)
    assert document == orjson.loads(orjson.dumps(render(event)))
    assert _longest(document) < 2 * LONGEST
    assert TEXT in source.decode()


def test_it_takes_linear_time() -> None:
    hostile = {"json": {"x" * (LONGEST - 20): {f"name{n:020d}": n for n in range(200_000)}, LONG: 1}}
    begin = time.process_time()
    kept = without_long_names(hostile)
    assert time.process_time() - begin < 10
    assert len(orjson.dumps(kept)) < 2 * len(orjson.dumps(hostile))
