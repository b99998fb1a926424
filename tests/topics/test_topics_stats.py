"""Tests closed minutes as bytes and as documents."""

import pytest

from topics.avro.codec import CodecError
from topics.records.stats import AuthWindow, decode, document, encode

WINDOW = AuthWindow("web", 3, "web", 1_764_000_000, 2, 0, 340, 1)


def test_a_window_comes_back_as_it_was() -> None:
    assert decode(encode(WINDOW)) == WINDOW


def test_the_document_adds_up_and_names_its_minute() -> None:
    name, found = document(encode(WINDOW))
    assert name == "web-3-1764000000-2-web"
    assert found["@timestamp"] == "2025-11-24T16:00:00.000Z"
    assert found["event"]["end"] == "2025-11-24T16:01:00.000Z"
    assert found["event"]["kind"] == "metric"
    assert found["event"]["dataset"] == "ogrewatch.auth"
    counts = found["ogrewatch"]["auth"]
    assert counts["attempts"] == counts["success"] + counts["failure"] + counts["unknown"] == 341
    assert (counts["service"], counts["revision"]) == ("web", 2)


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0\0", encode(WINDOW)[:-3]])
def test_other_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(CodecError):
        decode(value)
