"""The event: what a parser makes of a line and what the typed topics carry."""

from typing import Any

Event = dict[str, Any]
"""Columns (see `topics.fields`) to values, absent ones left out; `extra` maps dotted names to JSON values."""

ROUTES: dict[str, str] = {
    "authentication": "authentication",
    "session": "authentication",
    "network": "network",
    "intrusion_detection": "network",
    "malware": "network",
    "threat": "network",
    "process": "process",
    "web": "web",
    "iam": "audit",
    "configuration": "audit",
    "file": "audit",
    "package": "audit",
    "registry": "audit",
}


def kind_of(event: Event) -> str:
    """The type of an event, which names its topic: decided by its first ECS category, `system` when it has none."""
    categories = event.get("event_category")
    return ROUTES.get(categories[0], "system") if categories else "system"


def key_of(event: Event) -> bytes:
    """The key of an event in its typed topic: the source address, else the host. Depends on the raw line alone, so
    that an event written again goes to the same partition."""
    return (event.get("source_ip") or event.get("host_hostname") or "").encode()


def id_of(event: Event) -> str:
    """The identity of an event: where its raw line stands in Kafka. The same however often it is written."""
    return f"{event['ogrewatch_raw_topic']}-{event['ogrewatch_raw_partition']}-{event['ogrewatch_raw_offset']}"
