"""Compares the events of every stream's samples with the expected ones, and checks what holds for all of them."""

import json
from collections import Counter
from pathlib import Path

import pytest
from stream_checks import check_event, check_names

from streams import samples
from streams.dispatch import UNPARSED
from streams.registry import discover

LOGS = samples.logs()
_IDS = [f"{log.parent.parent.name}/{log.stem}" for log in LOGS]
_FEWEST = {"sshd": 40}


@pytest.mark.parametrize("log", LOGS, ids=_IDS)
def test_a_sample_gives_the_events_beside_it(log: Path) -> None:
    expected = [json.loads(line) for line in samples.expected_path(log).read_text().splitlines()]
    assert samples.events(log) == expected


@pytest.mark.parametrize("log", LOGS, ids=_IDS)
def test_the_events_of_a_sample_are_sound_and_understood(log: Path) -> None:
    for event in samples.events(log):
        check_event(event)
        assert event["event_dataset"] != UNPARSED, event["event_original"]


_SHARED = frozenset({"ogrewatch", "json", "pam"})
"""Names of our own that several streams use."""


@pytest.mark.parametrize("log", LOGS, ids=_IDS)
def test_fields_are_of_ecs_or_of_the_stream(log: Path) -> None:
    for event in samples.events(log):
        own = {log.parent.parent.name, event["event_dataset"].partition(".")[0]}
        check_names(event, _SHARED | own)


def test_every_stream_has_enough_samples() -> None:
    counts: Counter[str] = Counter()
    for log in LOGS:
        counts[log.parent.parent.name] += len(samples.lines(log))
    folders = {path.parent.name for path in Path(samples.__file__).parent.glob("*/parser.py")}
    assert len(folders) == len(discover())
    assert not [folder for folder in folders if counts[folder] < _FEWEST.get(folder, 12)]


def test_the_command_writes_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "expected_path", lambda log: tmp_path / log.with_suffix(".expected.json").name)
    samples.main(["sudo"])
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(log.with_suffix(".expected.json").name for log in samples.logs(["sudo"]))
    for path in tmp_path.iterdir():
        assert path.read_text() == (Path(samples.__file__).parent / "sudo" / "samples" / path.name).read_text()
