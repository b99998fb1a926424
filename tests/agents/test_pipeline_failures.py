"""Whatever goes wrong with one record becomes that record's letter; its neighbours become events."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agents import pipeline as module
from agents.counting.partition_counts import PartitionCounts
from agents.pipeline import Pipeline
from agents.settings import Settings
from agents.transport import MAX_RECORD
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from topics.avro.attempt_header import decode_attempt
from topics.cut import Cut
from topics.kafka.producer import ENVELOPE
from topics.records.deadletter import BEGINNING, letter

GOOD = b"<38>May  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.1 port 4711 ssh2"
BAD = GOOD.replace(b"root", b"poison")


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(Settings())


def _records(*values: Any, topic: str = "raw.syslog", headers: Any = ()) -> list[Any]:
    known = {"topic": topic, "partition": 1, "timestamp": 1_777_636_800_000, "key": b"web1", "headers": headers}
    return [SimpleNamespace(**known, offset=offset, value=value) for offset, value in enumerate(values)]


def _raising(wrapped: Callable[..., Any], error: type[Exception]) -> Callable[..., Any]:
    """A function that raises when anything it is given speaks of poison."""

    def raising(*arguments: Any, **more: Any) -> Any:
        if "poison" in repr(arguments):
            raise error("injected")
        return wrapped(*arguments, **more)

    return raising


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, RecursionError, MemoryError])
@pytest.mark.parametrize("where", ["encode", "kind_of", "key_of", "put_received"])
def test_an_error_of_one_record_is_its_letter(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, where: str, error: type[Exception]
) -> None:
    monkeypatch.setattr(module, where, _raising(getattr(module, where), error))
    headers = [("ogrewatch.identity", b"a token")]
    _check(pipeline.records(_records(GOOD, BAD, GOOD, headers=headers), MemoryState()))


@pytest.mark.parametrize("where", ["parse", "enrich"])
def test_an_error_of_a_parser_or_an_enricher_is_a_letter(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    owner: Any = pipeline.dispatcher if where == "parse" else pipeline.enricher
    monkeypatch.setattr(owner, where, _raising(getattr(owner, where), RuntimeError))
    _check(pipeline.records(_records(GOOD, BAD, GOOD), MemoryState()))


def test_an_error_while_a_header_of_a_line_is_read_is_a_letter(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dispatcher, "_base", _raising(Dispatcher._base, RuntimeError))
    _check(pipeline.records(_records(GOOD, BAD, GOOD), MemoryState()))


def _check(made: list[Any]) -> None:
    assert [one.topic for one in made] == ["events.authentication", "deadletter", "events.authentication"]
    said = dict(made[1][5])
    assert (said["topic"], said["partition"], said["offset"]) == ("raw.syslog", "1", "1")
    assert said["reason"] in ("failure", "encoding")
    assert made[1][2] == BAD


@pytest.mark.parametrize("origin", [b"7", b"null", b'["a","b",1,2]', b"[[],0,1,2]", b"\xff", b"[1]"])
def test_a_replayed_record_whose_origin_is_torn_speaks_for_itself(pipeline: Pipeline, origin: bytes) -> None:
    made = pipeline.records(_records(GOOD, topic="replay", headers=[("ogrewatch.origin", origin)]), MemoryState())
    assert [one.topic for one in made] == ["events.authentication"]


@pytest.mark.parametrize("key", [b"web1", b"k" * (9 << 20), None])
def test_a_letter_about_what_is_too_large_is_cut(pipeline: Pipeline, key: bytes | None) -> None:
    large = b"<38>May  1 10:00:00 web1 app: " + b"x" * MAX_RECORD
    records = _records(large)
    records[0].key = key
    [(topic, kept, value, _, _, headers)] = pipeline.records(records, MemoryState())
    said: dict[str, Any] = dict(headers or ())
    assert (topic, said["reason"], said["offset"], said["cut"]) == ("deadletter", "too_large", "0", str(len(large)))
    assert value == large[:BEGINNING]
    assert kept == (key and key[:BEGINNING])


def test_what_was_cut_as_it_was_read_is_a_letter(pipeline: Pipeline) -> None:
    made = pipeline.records(_records(Cut(GOOD, None), GOOD), MemoryState())
    assert [one.topic for one in made] == ["deadletter", "events.authentication"]
    said: dict[str, Any] = dict(made[0].headers or ())
    assert said["cut"] == "-1"
    assert type(made[0].value) is bytes


def test_an_event_that_outgrew_its_line_is_a_letter_with_the_whole_line(pipeline: Pipeline) -> None:
    line = b"<38>May  1 10:00:00 web1 app: " + b"x" * (5 << 20)
    [(topic, _, value, *_, headers)] = pipeline.records(_records(line), MemoryState())
    assert (topic, value) == ("deadletter", line)
    assert "cut" not in dict(headers or ())


@pytest.mark.parametrize("header", [("h", b""), ("\u00e4" * 40, b""), ("h", b"x" * 5000)])
def test_headers_of_a_letter_fit_however_many_there_were(header: tuple[str, bytes]) -> None:
    [record] = _records(BAD, headers=[header] * 40_000)
    headers = letter("", "normalize", record, "r", "\ud800" * 5000).headers or []
    assert sum(len(name.encode()) + len(value or b"") + 10 for name, value in headers) < ENVELOPE


def test_what_counting_cannot_read_for_whatever_reason_is_a_letter(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [one[2] for one in pipeline.records(_records(GOOD, BAD, GOOD), MemoryState())]
    monkeypatch.setattr("agents.counting.partition_counts.decode_attempt", _raising(decode_attempt, RuntimeError))
    log = PartitionCounts("events.authentication", "authentication", 97, 0, 86_400.0)
    log.count(_records(*values, topic="events.authentication"))
    assert [(record.offset, why) for record, why in log.undecodable] == [(1, "RuntimeError: injected")]
    assert log.totals[0] == 2
