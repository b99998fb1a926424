"""Lists every topic: its key, what it holds, how long records are kept, and whether outsiders may write to it."""

from dataclasses import dataclass

from topics.fields import TYPES

DAY = 86_400
MAX_RECORD = 8 << 20
"""The largest record, in bytes of key and value; brokers and clients must allow as much."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the catalogue. `retention` is seconds, 0 for a compacted topic; `schema` an event type with an Avro
    schema, or empty; `partitions` is how many it has, 0 for as many as the settings say.
    """

    name: str
    key: str
    holds: str
    retention: int
    schema: str = ""
    external: bool = False
    partitions: int = 0


def typed(kind: str) -> str:
    """The name of the topic for a type of event."""
    return f"events.{kind}"


RAW = (
    Topic("raw.syslog", "host", "syslog lines, bytes as received", 7 * DAY, external=True),
    Topic("raw.events", "host", "JSON events, bytes as received", 7 * DAY, external=True),
)
TYPED = tuple(
    Topic(typed(k), "source address, else host (and connection)", f"{k} events, Avro", 7 * DAY, k) for k in TYPES
)
DEADLETTER = Topic(
    "deadletter",
    "as in its topic",
    "what failed: original bytes, reason in headers",
    30 * DAY,
)
DECISIONS = Topic("deadletter.fates", "id of the letter", "which dead letters were sent again or dropped", 60 * DAY)
"""It is kept for longer than the dead letters themselves."""
REPLAY = Topic("replay", "as in its topic", "raw records sent again, bytes and headers as received", 7 * DAY)
"""normalize reads it like a raw topic. Only Ogrewatch may write to it: its records say which event they are."""
STATS = Topic("stats.authentication", "service", "closed minutes of authentication attempts, Avro", 7 * DAY)
ALERTS = Topic("alerts", "id of the alert", "revisions of alerts: ECS documents, JSON", 35 * DAY)
ACTS = Topic("alerts.acts", "id of the alert", "what people did with alerts, JSON", 400 * DAY)
"""It is kept for longer than the alerts themselves: acts and alerts together make the index anew."""
RULES = Topic("rules", "`rules`, or the id of a silence", "the rules in force, and silences, JSON", 0, partitions=1)
"""Compacted, with one partition: its records are few, and have one order for all workers."""
MATCHES = Topic("detect.matches", "none; the partition is that of the group", "forwarded matches, JSON", 3 * DAY)
"""What a detect worker reads in one partition and another one judges. Its partitions are those of the typed topics."""
COUNTED_KINDS = ("authentication", "process", "web")
"""The types of events that may be login attempts. Entries of the count role begin with their first letters."""
READ_BY = {
    "normalize": (*RAW, REPLAY),
    "count": tuple(topic for topic in TYPED if topic.schema in COUNTED_KINDS),
    "detect": (*TYPED, MATCHES),
    "index": (*TYPED, STATS, ALERTS, ACTS),
}
"""The topics that each role reads. Correlation state names a topic of normalize by its position: append new ones."""
CATALOGUE = (*RAW, REPLAY, *TYPED, STATS, DEADLETTER, DECISIONS, ALERTS, ACTS, RULES, MATCHES)


def read_by(role: str, prefix: str) -> list[str]:
    """Names of the topics that a role reads."""
    return [prefix + topic.name for topic in READ_BY[role]]


def group_of(role: str, prefix: str) -> str:
    """The consumer group of a role."""
    return f"{prefix}ogrewatch-{role}"
