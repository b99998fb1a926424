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


JOINED: dict[str, str] = {
    "auditd": "event.sequence",
    "ds389": "ds389.connection",
    "postgresql": "",
    "slapd": "slapd.connection",
    "sshd": "",
}
"""Datasets whose source address may stand in an earlier line, and the field that tells their connections apart (the
process when there is none)."""
_JOINED_ACTIONS = "sftp_"
"""What the actions of sshd begin with that are joined."""


def kind_of(event: Event) -> str:
    """The type of an event, which names its topic: decided by its first ECS category, `system` when it has none."""
    categories = event.get("event_category")
    return ROUTES.get(categories[0], "system") if categories else "system"


def key_of(event: Event) -> bytes:
    """The key of an event in its typed topic: the source address, else the host. Where the address may be that of an
    earlier line, it is the host and the connection. Depends on the raw line alone, so that an event written again goes
    to the same partition, whatever is known of its connection by then."""
    field = JOINED.get(event.get("event_dataset", ""))
    if field is None or (not field and not _is_joined(event)):
        return (event.get("source_ip") or event.get("host_hostname") or "").encode()
    connection = event.get("extra", {}).get(field) if field else event.get("process_pid")
    return f"{event.get('host_hostname', '')}|{'' if connection is None else connection}".encode()


def _is_joined(event: Event) -> bool:
    """Whether an event of a dataset whose lines are joined by process may be."""
    return event["event_dataset"] != "sshd" or str(event.get("event_action")).startswith(_JOINED_ACTIONS)


def id_of(event: Event) -> str:
    """The identity of an event: where its raw line stands in Kafka. The same however often it is written."""
    return f"{event['ogrewatch_raw_topic']}-{event['ogrewatch_raw_partition']}-{event['ogrewatch_raw_offset']}"
