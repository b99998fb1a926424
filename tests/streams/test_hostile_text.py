"""Tests that text of a stranger becomes no address, port, time, verdict, host or other user's name, in any stream.

Where a daemon escapes nothing and a line may be read in two ways, no value is right, a forged one never.
"""

import re
from collections import Counter
from functools import cache

import pytest
from hostile_text import EXEMPT, FORGED_IP, FORGED_NAME, NAMES, Hostile, hostile, parsed
from stream_checks import check_event

from streams import samples
from streams.dispatch import UNPARSED
from topics.event import Event

STREAMS = sorted({log.parent.parent.name for log in samples.logs()})
_IDENTITIES = (
    *("source_ip", "source_port", "destination_ip", "destination_port", "host_hostname", "process_name", "process_pid"),
    *("ogrewatch_attempt", "ogrewatch_service", "event_outcome"),
)
_ADDRESSES = (".ip", ".address")
_GROUPS = ("source.", "destination.", "client.", "server.", "host.", "related.", "network.", "observer.")
_LOGINS = {"authentication", "database"}
_FEWEST = {"sshd": 3000, "nginx": 3000, "pam": 1000, "vsftpd": 1000, "postgresql": 500, "dovecot": 500}


@cache
def _before(line: bytes) -> Event:
    return parsed(line)


def _typed_by_a_stranger(made: Hostile) -> bool:
    event = _before(made.before)
    refused = event.get("event_outcome") == "failure" and _LOGINS & set(event["event_category"])
    if made.field in NAMES and not refused:
        return False
    line = f"{made.stream}:{event['message']}"
    return not any(re.match(f"(?:{pattern})", line, re.DOTALL) for pattern in EXEMPT)


def _forged(made: Hostile) -> list[str]:
    """The columns that a hostile text has changed, other than to nothing."""
    before, after = _before(made.before), parsed(made.line)
    check_event(after)
    assert after.get("event_kind") != "pipeline_error", after
    changed = [column for column in _IDENTITIES if after.get(column) not in (None, before.get(column))]
    understood = after["event_dataset"] != UNPARSED
    if after["timestamp"] != before["timestamp"] and (understood or after["timestamp"] != samples.RECEIVED):
        changed.append("timestamp")
    if made.field not in NAMES and after.get("user_name") == FORGED_NAME:
        changed.append("user_name")
    for name, value in after.get("extra", {}).items():
        if name.startswith(_GROUPS) and name.endswith(_ADDRESSES) and value in (FORGED_IP, [FORGED_IP]):
            changed.append(name)
    return changed


@pytest.mark.parametrize("stream", STREAMS)
def test_a_text_forges_nothing(stream: str) -> None:
    tried: Counter[str] = Counter()
    for made in hostile(stream):
        if _typed_by_a_stranger(made):
            tried[stream] += 1
            assert not (changed := _forged(made)), (changed, made.field, made.typed, made.line)
    assert tried[stream] >= _FEWEST.get(stream, 0), "the generator must find what strangers type"
