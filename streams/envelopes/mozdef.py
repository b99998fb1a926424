"""From what MozDef's event says beyond a syslog header to columns: category, tags, and the usual details.

https://mozdef.readthedocs.io/en/latest/usage.html#json-format
"""

from typing import Any

from streams.members import Take, taker
from streams.text import extra
from topics.event import Event

DATASET = "mozdef"
"""The dataset of events whose summary no stream understands."""

_CATEGORIES = frozenset(
    {
        *("api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam", "malware"),
        *("intrusion_detection", "network", "package", "process", "session", "vulnerability", "web"),
    }
)
"""Those of ECS's categories that go with the type `info`."""
_OUTCOMES = {"true": "success", "success": "success", "false": "failure", "failure": "failure", "failed": "failure"}


def sniff(record: dict[str, Any]) -> bool:
    """Whether the record has the members that MozDef's clients send."""
    return "summary" in record or "SOURCEIP" in record or (type(record.get("details")) is dict and "category" in record)


def _category(event: Event, value: Any) -> bool:
    if type(value) is not str or value not in _CATEGORIES:
        return False
    event["event_category"], event["event_type"] = [value], ["info"]
    return True


def _outcome(event: Event, value: Any) -> bool:
    found = _OUTCOMES.get(str(value).lower()) if type(value) in (bool, str) else None
    if found:
        event["event_outcome"] = found
    return found is not None


def _tags(event: Event, value: Any) -> bool:
    if type(value) is not list or not value or not all(type(tag) is str for tag in value):
        return False
    extra(event)["tags"] = value
    return True


PARTS: tuple[tuple[Take, tuple[str, ...]], ...] = (
    (_category, ("category",)),
    (_outcome, ("details.success", "details.outcome")),
    (_tags, ("tags",)),
    (taker("source_ip"), ("SOURCEIP", "details.sourceipaddress", "details.sourceipv4address")),
    (taker("source_port"), ("details.sourceport",)),
    (taker("destination_ip"), ("details.destinationipaddress", "details.destinationipv4address")),
    (taker("destination_port"), ("details.destinationport",)),
    (taker("user_name"), ("details.username", "details.user")),
)
"""What takes, and the names of members it may take."""
