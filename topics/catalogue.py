"""Every topic: its key, what it holds, how long it is kept, and whether outsiders may write it."""

from dataclasses import dataclass

from topics.fields import TYPES

DAY = 86_400
MAX_RECORD = 8 << 20
"""Largest record, bytes of key and value; brokers and clients must allow as much."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the catalogue. `retention` is seconds; `schema` an event type with an Avro schema, or empty."""

    name: str
    key: str
    holds: str
    retention: int
    schema: str = ""
    external: bool = False


def typed(kind: str) -> str:
    """The topic of a type of event."""
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
"""Kept for longer than the letters are."""
REPLAY = Topic("replay", "as in its topic", "raw records sent again, bytes and headers as received", 7 * DAY)
"""As `RAW` for normalize, and only for ours to write: a record says which event it is."""
STATS = Topic("stats.authentication", "service", "closed minutes of authentication attempts, Avro", 7 * DAY)
COUNTED_KINDS = ("authentication", "process", "web")
"""Types of events that attempts to log in are found among. Their first letters name entries of the count role."""
READ_BY = {
    "normalize": (*RAW, REPLAY),
    "count": tuple(topic for topic in TYPED if topic.schema in COUNTED_KINDS),
    "index": (*TYPED, STATS),
}
"""Roles, and the topics that each reads. Joins name a topic of normalize by its place here: new ones come last."""
CATALOGUE = (*RAW, REPLAY, *TYPED, STATS, DEADLETTER, DECISIONS)


def read_by(role: str, prefix: str) -> list[str]:
    """Names of the topics that a role reads."""
    return [prefix + topic.name for topic in READ_BY[role]]


def group_of(role: str, prefix: str) -> str:
    """The consumer group of a role."""
    return f"{prefix}ogrewatch-{role}"
