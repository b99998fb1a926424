"""Creates the topics of the catalogue, and corrects the settings of those that exist."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from topics.catalogue import CATALOGUE, MAX_RECORD, RAW, Topic
from topics.kafka.client import client_conf, require

_TIMEOUT = 30.0  # seconds that Kafka has for one request
_REPLICAS = 3  # replicas of which two can be asked for, without an outage when one is away
_OVERHEAD = 1 << 20  # bytes that a batch may take besides its records


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of the topics that were created, and of those whose settings were corrected."""

    created: list[str]
    corrected: list[str]


def create_topics(
    bootstrap: str, *, prefix: str, partitions: int, replication: int, raw_retention: float | None = None
) -> list[str]:
    """Create the missing topics of the catalogue, correct the others, and return the names of new ones. Blocks.

    Raises as `set_up_topics`, which also says what was corrected.
    """
    return set_up_topics(
        bootstrap, prefix=prefix, partitions=partitions, replication=replication, raw_retention=raw_retention
    ).created


def set_up_topics(
    bootstrap: str, *, prefix: str, partitions: int, replication: int, raw_retention: float | None = None
) -> Changes:
    """Create the missing topics of the catalogue, and correct the settings of the others (see `settle_topics`). Blocks.

    With three replicas or more, two must have a record before it is acknowledged, so that it outlives a disk. Raises
    `KafkaException`, `KafkaUnavailable` and `AccessRefused`.
    """
    require(bootstrap)
    client = AdminClient(client_conf(bootstrap))
    missing = [_new(topic, prefix, partitions, replication, raw_retention) for topic in CATALOGUE]
    created = []
    for name, future in client.create_topics(missing, operation_timeout=_TIMEOUT).items():
        try:
            future.result(_TIMEOUT)
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    corrected = settle_topics(bootstrap, prefix, raw_retention) if len(created) < len(CATALOGUE) else []
    return Changes(sorted(created), corrected)


def settle_topics(bootstrap: str, prefix: str, raw_retention: float | None = None) -> list[str]:
    """Correct the settings of existing topics that the code relies on, and return the names of those changed. Blocks.

    These are the clock of timestamps and the largest batch, and for raw topics the retention in seconds if one is
    given. Else it stays as somebody may have set it. Raises `KafkaException`, also when we may not read or change
    settings.
    """
    client = AdminClient(client_conf(bootstrap))
    wanted = {prefix + topic.name: _relied_on(topic) | _kept(topic, raw_retention) for topic in CATALOGUE}
    changes = [
        ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        for name, found in _configs(client, wanted).items()
        if (entries := list(_entries(wanted[name], found)))
    ]
    for future in client.incremental_alter_configs(changes).values() if changes else ():
        future.result(_TIMEOUT)
    return sorted(change.name for change in changes)


def set_topic(bootstrap: str, topic: str, wanted: dict[str, str]) -> None:
    """Change settings of a topic. Blocks; raises `KafkaException`."""
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=list(_entries(wanted, {})))
    client = AdminClient(client_conf(bootstrap))
    for future in client.incremental_alter_configs([change]).values():
        future.result(_TIMEOUT)


def partitions_of(bootstrap: str, prefix: str) -> dict[str, int]:
    """The number of partitions of each topic of the catalogue that exists. Blocks; raises as `create_topics`."""
    require(bootstrap)
    found = AdminClient(client_conf(bootstrap)).list_topics(timeout=_TIMEOUT).topics
    names = [prefix + topic.name for topic in CATALOGUE]
    return {name: len(found[name].partitions) for name in names if name in found}


def differently_parted(found: Mapping[str, int], prefix: str, partitions: int) -> list[str]:
    """Names of the topics in `found` that have another number of partitions than new ones would have."""
    wanted = {prefix + topic.name: topic.partitions or partitions for topic in CATALOGUE}
    return sorted(name for name, number in found.items() if number != wanted[name])


def settings_of_topics(bootstrap: str, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The settings of those topics that exist. Blocks; raises `KafkaException`."""
    asked = list(names)
    return _configs(AdminClient(client_conf(bootstrap)), asked) if asked else {}


def _configs(client: AdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The settings of those topics that exist."""
    found = {}
    for resource, future in client.describe_configs([ConfigResource(ResourceType.TOPIC, n) for n in names]).items():
        try:
            found[resource.name] = {name: entry.value for name, entry in future.result(_TIMEOUT).items()}
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
    return found


def _entries(wanted: dict[str, str], found: dict[str, str]) -> Iterator[ConfigEntry]:
    for name, value in wanted.items():
        if found.get(name) != value:
            yield ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)


def _relied_on(topic: Topic) -> dict[str, str]:
    """The settings that a topic must have.

    The broker sets timestamps: with those of senders it would refuse records of clocks that are an hour ahead, and
    delete replayed records by their old times. Raw topics refuse batches that would be too large uncompressed.
    """
    largest = MAX_RECORD if topic in RAW else 2 * MAX_RECORD
    return {"max.message.bytes": str(largest + _OVERHEAD), "message.timestamp.type": "LogAppendTime"}


def _kept(topic: Topic, raw_retention: float | None) -> dict[str, str]:
    if raw_retention is None or topic not in RAW:
        return {}
    return {"retention.ms": str(int(raw_retention * 1000))}


def weakly_acknowledged(bootstrap: str, prefix: str) -> list[str]:
    """Names of topics with three replicas or more whose records are acknowledged when one of them has them. Blocks."""
    client = AdminClient(client_conf(bootstrap))
    found = client.list_topics(timeout=_TIMEOUT).topics
    ours = [name for topic in CATALOGUE if (name := prefix + topic.name) in found]
    copied = [n for n in ours if min((len(p.replicas) for p in found[n].partitions.values()), default=0) >= _REPLICAS]
    configs = _configs(client, copied) if copied else {}
    return sorted(name for name, config in configs.items() if config.get("min.insync.replicas") == "1")


def durability(replication: int) -> dict[str, str]:
    """The settings of a new topic with so many replicas, about when a record is acknowledged."""
    return {"min.insync.replicas": "2"} if replication >= _REPLICAS else {}


def wanted_settings(topic: Topic, replication: int, raw_retention: float | None) -> dict[str, str]:
    """The settings that a new topic gets."""
    kept = {"retention.ms": str(topic.retention * 1000), "cleanup.policy": "delete"}
    config = {**(kept if topic.retention else {"cleanup.policy": "compact"}), **_relied_on(topic)}
    return config | _kept(topic, raw_retention) | durability(replication)


def _new(topic: Topic, prefix: str, partitions: int, replication: int, raw_retention: float | None) -> NewTopic:
    config = wanted_settings(topic, replication, raw_retention)
    return NewTopic(prefix + topic.name, topic.partitions or partitions, replication, config=config)
