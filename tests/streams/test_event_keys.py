"""Tests that the key of an event depends on its line alone, whatever is known of its connection."""

from pathlib import Path
from typing import Any

import pytest

from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.samples import RECEIVED, lines, logs
from topics.event import key_of, kind_of


class _Forgetful(MemoryState):
    """StateStore that know nothing."""

    def get(self, key: str) -> Any:
        return None


@pytest.mark.parametrize("log", logs(), ids=lambda log: f"{log.parent.parent.name}-{log.stem}")
def test_type_and_key_are_those_of_the_line_alone(log: Path) -> None:
    dispatcher, state, forgetful = Dispatcher(), MemoryState(), _Forgetful()
    for line in lines(log):
        event, alone = dispatcher.parse(line, RECEIVED, state), dispatcher.parse(line, RECEIVED, forgetful)
        assert (kind_of(event), key_of(event)) == (kind_of(alone), key_of(alone)), line


def test_some_samples_are_joined() -> None:
    """Else the test above would say nothing."""
    dispatcher, state, forgetful, found = Dispatcher(), MemoryState(), _Forgetful(), set[str]()
    for line in (line for log in logs(("slapd", "ds389", "postgresql", "sshd")) for line in lines(log)):
        event, alone = dispatcher.parse(line, RECEIVED, state), dispatcher.parse(line, RECEIVED, forgetful)
        if event.get("source_ip") != alone.get("source_ip"):
            found.add(event["event_dataset"])
    assert found == {"slapd", "ds389", "postgresql", "sshd"}
