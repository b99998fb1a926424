"""What `ogrewatch deadletter` lists, shows and drops, and what it never lets through to a terminal."""

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installation_kit import Place, place

from cli.deadletter_options import millis
from operations.dead_letters.render import safe
from topics.records.deadletter import InvalidDeadLetter, letter, read

HOSTILE = b"\x1b]0;owned\x07 \xff\xc2\x9b31m \xe2\x80\xae line\r\n\\x41"


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        yield found


def _ids(here: Place, *options: str) -> list[str]:
    return [one["id"].replace(here.prefix, "") for one in here.json("deadletter", "list", *options)]


def test_letters_are_found_by_what_is_known_of_them(here: Place) -> None:
    here.give_up("normalize", "raw.syslog", 1, b"one")
    here.give_up("index", "events.web", 2, b"two", reason="mapping", text="no date: <three>")
    here.give_up("normalize", "raw.events", 3, b"three")
    assert _ids(here) == ["normalize:raw.syslog-0-1", "index:events.web-0-2", "normalize:raw.events-0-3"]
    assert _ids(here, "--component", "index") == _ids(here, "--reason", "mapping") == ["index:events.web-0-2"]
    assert _ids(here, "--topic", "raw.events") == _ids(here, "--limit", "1") == ["normalize:raw.events-0-3"]
    assert _ids(here, "--contains", "three") == ["index:events.web-0-2", "normalize:raw.events-0-3"]
    assert _ids(here, "--contains", "three", "--component", "normalize") == ["normalize:raw.events-0-3"]
    assert len(_ids(here, "--since", "1h")) == 3
    assert _ids(here, "--until", "1h") == []
    assert "2 earlier ones" in here.run("deadletter", "list", "--limit", "1")


def test_dropped_letters_are_listed_no_more(here: Place) -> None:
    for offset in range(3):
        here.give_up("normalize", "raw.syslog", offset)
    here.give_up("normalize", "raw.syslog", 0)  # the same again, as after a crash
    first = f"normalize:{here.prefix}raw.syslog-0-0"
    assert here.json("deadletter", "drop", first) == {"dropped": 1}
    assert _ids(here) == ["normalize:raw.syslog-0-1", "normalize:raw.syslog-0-2"]
    decisions = [one["fate"] for one in here.json("deadletter", "show", first)]
    assert [fate["fate"] for fate in decisions] == ["dropped", "dropped"]
    assert "@" in decisions[0]["by"]
    here.run("deadletter", "drop", first, "--yes", status=1)
    assert here.json("deadletter", "drop", "--all") == {"dropped": 2}
    assert here.run("deadletter", "list") == "No dead letters.\n"
    here.run("deadletter", "show", "normalize:nothing-0-0", status=1)


def test_nothing_is_decided_of_letters_that_nobody_named(here: Place) -> None:
    here.give_up("normalize", "raw.syslog", 1)
    here.run("deadletter", "drop", "--yes", status=2)
    here.run("deadletter", "replay", "--all", "--component", "normalize", "--yes", status=2)
    here.run("deadletter", "drop", "--all", status=1)  # nobody there to say yes
    assert _ids(here) == ["normalize:raw.syslog-0-1"]


def test_a_terminal_gets_no_control_characters(here: Place) -> None:
    here.give_up("normalize", "raw.syslog", 1, HOSTILE, text="\x1b[2J", headers=[("h\x1b", b"\x9b2J")])
    identity = f"normalize:{here.prefix}raw.syslog-0-1"
    for shown in (here.run("deadletter", "list"), here.run("deadletter", "show", identity)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\udc80-\udcff]", shown)
    assert r"\x1b]0;owned\x07 \xff\x9b31m \u202e line\r\n\\x41" in here.run("deadletter", "show", identity)
    assert base64.b64decode(here.json("deadletter", "show", identity)[0]["value_base64"]) == HOSTILE


@given(st.binary())
def test_bytes_shown_can_be_had_back(value: bytes) -> None:
    shown = safe(value)
    assert shown.isprintable()
    assert shown == safe(value.decode("utf-8", "surrogateescape"))


def test_times_are_given_as_ages_or_as_dates() -> None:
    now = time.time() * 1000
    assert abs(now - 90_000 - millis("90s")) < 1000
    assert abs(now - 7 * 86_400_000 - millis("7d")) < 1000
    assert millis("2026-05-01T12:00") == millis("2026-05-01T14:00+02:00") == 1_777_636_800_000


class _Message:
    """A letter as a consumer gets it."""

    def __init__(self, outgoing: Any) -> None:
        _, self._key, self._value, _, self._timestamp, headers = outgoing
        self._headers = [(name, v.encode() if isinstance(v, str) else v) for name, v in headers]

    def headers(self) -> Any:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return 1, self._timestamp

    def key(self) -> Any:
        return self._key

    def value(self) -> Any:
        return self._value

    def partition(self) -> int:
        return 4

    def offset(self) -> int:
        return 44


def _record(**more: Any) -> Any:
    known = {"topic": "raw.syslog", "partition": 3, "offset": 9, "key": None, "value": b"v", "timestamp": 5}
    return SimpleNamespace(**known, headers=more.get("headers", ()))


def test_a_letter_says_all_of_its_record() -> None:
    headers = [("topic", b"not ours"), ("ogrewatch.identity", b"who"), ("nothing", None)]
    found = read(_Message(letter("p.", "index", _record(headers=headers), "mapping", "odd \udcff text")))
    assert (found.topic, found.partition, found.offset, found.timestamp) == ("raw.syslog", 3, 9, 5)
    assert (found.component, found.reason, found.error) == ("index", "mapping", "odd \\udcff text")
    assert (found.key, found.value, found.headers, found.place) == (None, b"v", headers, (4, 44))
    assert abs(found.time - time.time() * 1000) < 10_000


def test_headers_that_would_not_fit_are_left_out_of_a_letter() -> None:
    headers = [("small", b"1"), ("large", b"x" * 40_000)]
    assert read(_Message(letter("", "index", _record(headers=headers), "r", "t"))).headers == [("small", b"1")]


def test_other_records_are_no_letters() -> None:
    with pytest.raises(InvalidDeadLetter):
        read(_Message(("deadletter", None, b"", None, 0, [("component", "index")])))
