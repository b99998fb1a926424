"""Sets up Kafka and Elasticsearch: topics, schemas and index templates. It starts no server and may be repeated.

Partitions of existing topics stay as they are: counts name the partition that they come from.
"""

import time
from collections.abc import Iterator
from typing import Any

from agents.settings import Settings
from sinks.elasticsearch import connection
from sinks.elasticsearch.templates import install
from topics.avro.registry import Registry, register_all
from topics.errors import OgrewatchError
from topics.kafka import admin
from topics.kafka import client as kafka

_LOOK = 0.5  # seconds between questions whether a server answers
_OURS = "ogrewatch*"
_STAMPS = ("_date", "_date_millis")  # ends of names of times


class ServerAway(OgrewatchError):
    """A server did not answer by the deadline. The text says which."""


def wait_for_servers(settings: Settings, seconds: float) -> None:
    """Block until Kafka and Elasticsearch answer. Raises `ServerAway`, and `AccessRefused` at once."""
    until = time.monotonic() + seconds
    while not kafka.answers(settings.kafka):
        _wait(until, f"Kafka at {settings.kafka}", seconds)
    while not connection.answers(settings.elasticsearch):
        _wait(until, "Elasticsearch", seconds)


def _wait(until: float, server: str, seconds: float) -> None:
    if time.monotonic() >= until:
        raise ServerAway(f"{server} does not answer within {seconds:g} s.")
    time.sleep(_LOOK)


def set_up(settings: Settings) -> Iterator[str]:
    """Set up what is missing, and yield a sentence for each change; none when all was there.

    Raises `AccessRefused`, `KafkaException`, and what the clients of Elasticsearch and of the registry raise.
    """
    yield from _topics(settings)
    if settings.schema_registry:
        register_all(Registry(settings.schema_registry), settings.prefix)
    yield from _templates(settings.elasticsearch)


def warnings(settings: Settings) -> Iterator[str]:
    """Yield what should be changed by hand."""
    if weak := admin.weakly_acknowledged(settings.kafka, settings.prefix):
        yield (
            f"{', '.join(weak)}: min.insync.replicas is 1, so that a record is acknowledged when one disk has it. Set"
            " it to 2 with kafka-configs.sh."
        )
    counts = admin.partitions_of(settings.kafka, settings.prefix)
    for topic in admin.differently_parted(counts, settings.prefix, settings.partitions):
        yield f"{topic} has {counts[topic]} partitions, not the {settings.partitions} of OGREWATCH_PARTITIONS."


def _topics(settings: Settings) -> Iterator[str]:
    changes = admin.set_up_topics(
        settings.kafka,
        prefix=settings.prefix,
        partitions=settings.partitions,
        replication=settings.replication,
        raw_retention=settings.raw_retention,
    )
    yield from (f"Topic {name} was created." for name in changes.created)
    yield from (f"Settings of topic {name} were corrected." for name in changes.corrected)


def _templates(urls: str) -> Iterator[str]:
    before = _installed(urls)
    install(urls)
    after = _installed(urls)
    for name, template in after.items():
        if name not in before:
            yield f"Template {name} was installed."
        elif before[name] != template:
            yield f"Template {name} was replaced."


def _installed(urls: str) -> dict[str, Any]:
    """Our templates and their parts, as Elasticsearch shows them, without the times at which they were stored."""
    with connection.client(urls) as made:
        asked = made.options(ignore_status=404)
        parts = asked.cluster.get_component_template(name=_OURS).body.get("component_templates", ())
        whole = asked.indices.get_index_template(name=_OURS).body.get("index_templates", ())
    found = {f"{one['name']} (part)": one["component_template"] for one in parts}
    found |= {one["name"]: one["index_template"] for one in whole}
    return {name: {key: body[key] for key in body if not key.endswith(_STAMPS)} for name, body in found.items()}
