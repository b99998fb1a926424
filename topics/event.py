"""Defines the event, which parsers make of raw records and typed topics carry: its type, key and identity."""

from typing import Any

Event = dict[str, Any]
"""Maps columns (see `topics.fields`) to values, without absent ones. `extra` maps dotted names to JSON values."""

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
"""Datasets whose source address may be in an earlier line, and the field that names the connection. Where it is empty,
the process id does."""
_JOINED_ACTIONS = "sftp_"
"""Of sshd, only events whose action begins like this go by host and process."""
PEER_OF_CONNECTION = "sshd.peer_of_connection"
"""A field of events of sshd whose source address is that of an earlier line of their connection: they go by host."""


def kind_of(event: Event) -> str:
    """The type of an event, which names its topic. Its first ECS category decides; without one it is `system`."""
    categories = event.get("event_category")
    return ROUTES.get(categories[0], "system") if categories else "system"


def key_of(event: Event) -> bytes:
    """The key of an event in its typed topic: the source address, or the host if there is none.

    Where an earlier line may have the address, the key is host and connection. The key depends on the raw record alone,
    so that an event that is written again goes to the same partition, whatever is known of its connection by then.
    """
    field = JOINED.get(event.get("event_dataset", ""))
    if field == "" and not _is_joined(event):
        known = PEER_OF_CONNECTION in event.get("extra", ())
        return ((not known and event.get("source_ip")) or event.get("host_hostname") or "").encode()
    if field is None:
        return (event.get("source_ip") or event.get("host_hostname") or "").encode()
    connection = event.get("extra", {}).get(field) if field else event.get("process_pid")
    return f"{event.get('host_hostname', '')}|{'' if connection is None else connection}".encode()


def _is_joined(event: Event) -> bool:
    """Whether an event, of a dataset whose lines are joined by process, may be joined."""
    return event["event_dataset"] != "sshd" or str(event.get("event_action")).startswith(_JOINED_ACTIONS)


def id_of(event: Event) -> str:
    """The identity of an event: the topic, partition and offset of its raw record. It is the same on every replay."""
    return f"{event['ogrewatch_raw_topic']}-{event['ogrewatch_raw_partition']}-{event['ogrewatch_raw_offset']}"
