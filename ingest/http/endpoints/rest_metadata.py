"""Answers the read requests of the Confluent REST Proxy: clusters, topics, partitions, offsets and brokers.

https://docs.confluent.io/platform/current/kafka-rest/api.html
"""

import asyncio
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from ingest.base import KafkaNotAnswering
from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError, ok

_V2 = "application/vnd.kafka.v2+json"
_TIMEOUT = 5.0  # seconds for Kafka to answer


async def topics(request: Request) -> Answer:
    """Names of the topics that senders may write."""
    request.context.cluster.require()
    return ok(request.context.cluster.topics(), content_type=_V2)


async def topic(request: Request) -> Answer:
    """One topic and its partitions."""
    name = request.parts[0]
    content = {"name": name, "configs": {}, "partitions": _partitions(_found(request, name))}
    return ok(content, content_type=_V2)


async def partitions(request: Request) -> Answer:
    """The partitions of a topic."""
    return ok(_partitions(_found(request, request.parts[0])), content_type=_V2)


async def partition(request: Request) -> Answer:
    """One partition."""
    return ok(_one(request), content_type=_V2)


async def offsets(request: Request) -> Answer:
    """The first offset of a partition and the next one to be written."""
    number = _one(request)["partition"]
    place = TopicPartition(request.context.delivery.name_of(request.parts[0]), number)
    try:
        begin, end = await asyncio.to_thread(_ends, request.context.delivery.admin, place)
    except KafkaException as error:
        raise KafkaNotAnswering(error.args[0].str(), 2.0) from None
    return ok({"beginning_offset": begin, "end_offset": end}, content_type=_V2)


async def brokers(request: Request) -> Answer:
    """Ids of the brokers."""
    request.context.cluster.require()
    return ok({"brokers": sorted(request.context.cluster.brokers)}, content_type=_V2)


async def clusters(request: Request) -> Answer:
    """The one cluster, as a list."""
    request.context.cluster.require()
    return ok(_list("KafkaClusterList", "/v3/clusters", [_cluster(request)]))


async def cluster(request: Request) -> Answer:
    """The one cluster."""
    require_cluster(request)
    return ok(_cluster(request))


async def cluster_topics(request: Request) -> Answer:
    """The topics that senders may write."""
    require_cluster(request)
    names = request.context.cluster.topics()
    data = [_topic(request, name, request.context.cluster.topic(name)) for name in names]
    return ok(_list("KafkaTopicList", f"/v3/clusters/{request.parts[0]}/topics", data))


async def cluster_topic(request: Request) -> Answer:
    """One topic."""
    require_cluster(request)
    name = request.parts[1]
    return ok(_topic(request, name, _found(request, name, 40403)))


def require_cluster(request: Request) -> None:
    """Raises `HttpError` (404) when the path names another cluster, `KafkaNotAnswering`."""
    request.context.cluster.require()
    if request.parts[0] != request.context.cluster.identity:
        raise HttpError(404, f"Cluster {request.parts[0][:100]} cannot be found.", code=404)


def _found(request: Request, name: str, code: int = 40401) -> Any:
    request.context.cluster.require()
    found = request.context.cluster.topic(name)
    if found is None:
        raise HttpError(404, f"Topic {name[:250]} not found.", code=code)
    return found


def _one(request: Request) -> dict[str, Any]:
    for one in _partitions(_found(request, request.parts[0])):
        if str(one["partition"]) == request.parts[1]:
            return one
    raise HttpError(404, f"Partition {request.parts[1][:50]} not found.", code=40402)


def _partitions(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "partition": number,
            "leader": one.leader,
            "replicas": [
                {"broker": broker, "leader": broker == one.leader, "in_sync": broker in one.isrs}
                for broker in one.replicas
            ],
        }
        for number, one in sorted(found.partitions.items())
    ]


def _ends(admin: AdminClient, place: TopicPartition) -> tuple[int, int]:
    specs: list[Any] = [OffsetSpec.earliest(), OffsetSpec.latest()]  # type: ignore[no-untyped-call]
    found = [admin.list_offsets({place: spec}, request_timeout=_TIMEOUT)[place] for spec in specs]
    first, last = (one.result(_TIMEOUT).offset for one in found)
    return first, last


def _list(kind: str, path: str, data: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"self": path, "next": None}, "data": data}


def _cluster(request: Request) -> dict[str, Any]:
    known = request.context.cluster
    path = f"/v3/clusters/{known.identity}"
    return {
        "kind": "KafkaCluster",
        "metadata": {"self": path, "resource_name": f"crn:///kafka={known.identity}"},
        "cluster_id": known.identity,
        "controller": {"related": f"{path}/brokers/{known.controller}"},
        "brokers": {"related": f"{path}/brokers"},
        "topics": {"related": f"{path}/topics"},
    }


def _topic(request: Request, name: str, found: Any) -> dict[str, Any]:
    identity = request.context.cluster.identity
    path = f"/v3/clusters/{identity}/topics/{name}"
    return {
        "kind": "KafkaTopic",
        "metadata": {"self": path, "resource_name": f"crn:///kafka={identity}/topic={name}"},
        "cluster_id": identity,
        "topic_name": name,
        "is_internal": False,
        "replication_factor": max((len(one.replicas) for one in found.partitions.values()), default=0),
        "partitions_count": len(found.partitions),
        "partitions": {"related": f"{path}/partitions"},
    }
