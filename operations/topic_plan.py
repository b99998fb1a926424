"""Compares the topics in Kafka with the catalogue and the settings, and changes them when somebody says so.

Partitions are another matter. A key decides the partition, so adding partitions sends the events of an address to other
places than before, and the tables of normalize and count have one partition for each of their topics' partitions. While
anything is under way, an event that is sent again after a crash could be counted in both places. So partitions are only
added when every role is stopped and has read everything, to all topics and the changelogs of count and detect together.
That of normalize is deleted: it makes a new one, and has forgotten which connections were open. Kafka cannot take
partitions away.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from agents.settings import Settings
from operations.repair_logs import members
from topics.catalogue import CATALOGUE, READ_BY, group_of, read_by
from topics.errors import OgrewatchError
from topics.kafka import admin
from topics.kafka.client import client_conf, require
from topics.kafka.reader import Reader

PARTITIONS, REPLICAS, MISSING = "partitions", "replicas", "missing"
_TIMEOUT = 30.0  # seconds that Kafka has for one request
_ALWAYS = ("normalize", "index")  # roles without which nothing is stored


class NotIdle(OgrewatchError):
    """Partitions cannot be added now. The text says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: `what` is "missing", "partitions", "replicas" or the name of a setting.

    `left` says why `apply` leaves it alone; it is empty if it does not.
    """

    topic: str
    what: str
    found: str
    wanted: str
    left: str = ""


@dataclass(frozen=True, slots=True)
class _Shape:
    partitions: int
    replicas: int


def plan(settings: Settings) -> list[Difference]:
    """All differences. Blocks; raises `KafkaException`, `KafkaUnavailable` and `AccessRefused`."""
    require(settings.kafka)
    shapes = _shapes(settings)
    ours = {settings.prefix + topic.name for topic in CATALOGUE}
    configs = admin.settings_of_topics(settings.kafka, ours & shapes.keys())
    found = list[Difference]()
    for topic in CATALOGUE:
        name = settings.prefix + topic.name
        wanted = admin.wanted_settings(topic, settings.replication, settings.raw_retention)
        if (shape := shapes.get(name)) is None:
            found.append(Difference(name, MISSING, "", f"{topic.partitions or settings.partitions} partitions"))
            continue
        found += _of_shape(name, shape, topic.partitions or settings.partitions, settings.replication)
        there = configs.get(name, {})
        found += [Difference(name, key, there.get(key, ""), to) for key, to in wanted.items() if there.get(key) != to]
    for name in _changelogs(settings, shapes):
        found += _of_shape(name, shapes[name], settings.partitions, settings.replication)
    return found


def _of_shape(name: str, shape: _Shape, partitions: int, replicas: int) -> Iterator[Difference]:
    if shape.partitions != partitions:
        more = shape.partitions < partitions
        why = "--add-partitions adds them while all roles are stopped" if more else "Kafka cannot take any away"
        yield Difference(name, PARTITIONS, str(shape.partitions), str(partitions), why)
    if shape.replicas != replicas:
        why = "kafka-reassign-partitions.sh changes replicas"
        yield Difference(name, REPLICAS, str(shape.replicas), str(replicas), why)


def _shapes(settings: Settings) -> dict[str, _Shape]:
    topics = AdminClient(client_conf(settings.kafka)).list_topics(timeout=_TIMEOUT).topics
    return {
        name: _Shape(len(about.partitions), min((len(one.replicas) for one in about.partitions.values()), default=0))
        for name, about in topics.items()
        if name.startswith(settings.prefix)
    }


def _changelogs(settings: Settings, names: Iterable[str]) -> list[str]:
    """The changelogs of our tables, which Faust names after the group and the table."""
    starts = tuple(f"{group_of(role, settings.prefix)}-" for role in READ_BY)
    return sorted(name for name in names if name.startswith(starts) and name.endswith("-changelog"))


def apply(settings: Settings, differences: Iterable[Difference]) -> list[Difference]:
    """Create what is missing and change settings; return what was done. Blocks; raises as `plan`."""
    done = [one for one in differences if not one.left]
    if any(one.what == MISSING for one in done):
        admin.create_topics(
            settings.kafka, prefix=settings.prefix, partitions=settings.partitions, replication=settings.replication,
            raw_retention=settings.raw_retention,
        )  # fmt: skip
    changes: dict[str, dict[str, str]] = {}
    for one in done:
        if one.what != MISSING:
            changes.setdefault(one.topic, {})[one.what] = one.wanted
    for topic, wanted in changes.items():
        admin.set_topic(settings.kafka, topic, wanted)
    return done


def add_partitions(settings: Settings, differences: Iterable[Difference]) -> list[Difference]:
    """Add the partitions that topics and the changelogs of count and detect lack, and delete that of normalize. Blocks.

    Returns what was done.

    Raises `NotIdle` when a role runs or has not read everything, and when a topic has more partitions than wanted.
    """
    wanted = [one for one in differences if one.what == PARTITIONS]
    if larger := [one.topic for one in wanted if int(one.found) > int(one.wanted)]:
        raise NotIdle(f"{', '.join(larger)}: more partitions than OGREWATCH_PARTITIONS says. All need the same number.")
    if not wanted:
        return []
    _require_idle(settings)
    client = AdminClient(client_conf(settings.kafka))
    correlation = [one.topic for one in wanted if one.topic.startswith(f"{group_of('normalize', settings.prefix)}-")]
    more = [NewPartitions(one.topic, int(one.wanted)) for one in wanted if one.topic not in correlation]
    futures = [
        *client.create_partitions(more).values(),
        *(client.delete_topics(correlation).values() if correlation else ()),
    ]
    for future in futures:
        future.result(_TIMEOUT)
    return wanted


def _require_idle(settings: Settings) -> None:
    if running := members(settings):
        raise NotIdle(f"Workers run: stop those of {', '.join(running)}, and wait for ten seconds.")
    with Reader(settings.kafka) as reader:
        left = {role: number for role in READ_BY if (number := _left(reader, role, settings.prefix))}
    if left:
        work = ", ".join(f"{role} {number:,} records" for role, number in left.items())
        raise NotIdle(f"Not everything was read ({work}): stop who sends, let the workers finish, and stop them then.")


def _left(reader: Reader, role: str, prefix: str) -> int:
    """The records that a role has not read; 0 for one that has never read any, such as one that is not used.

    normalize and index are always used.
    """
    commits = reader.committed(group_of(role, prefix), read_by(role, prefix)).values()
    return reader.left(role, prefix) if role in _ALWAYS or any(offset >= 0 for offset in commits) else 0
