"""Sends a line through the whole system and waits until its document is found, which proves that it works."""

import secrets
import time
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from elasticsearch import ApiError, TransportError

from agents.settings import Settings
from sinks.elasticsearch.connection import client, words
from topics.catalogue import RAW
from topics.errors import OgrewatchError
from topics.kafka.client import client_conf, require

_LOOK = 0.2  # seconds between searches
_ANSWER = 10.0  # seconds that Kafka has to take the line


class NoPong(OgrewatchError):
    """The document was not found in time, or a server refused. The text says where the line is."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The identity of the document, and the seconds from the line to the document."""

    identity: str
    seconds: float


def ping(settings: Settings, seconds: float) -> Pong:
    """Send a line and find its document. Blocks. Raises `NoPong`, `KafkaUnavailable`, `AccessRefused`."""
    require(settings.kafka)
    begin = time.monotonic()
    identity = _send(settings)
    why = "no document yet"
    with client(settings.elasticsearch, request_timeout=5, max_retries=0) as asked:
        while time.monotonic() < begin + seconds:
            try:
                found = asked.search(
                    index=f"logs-ogrewatch.*-{settings.namespace}", query={"term": {"_id": identity}}, size=0,
                    ignore_unavailable=True, terminate_after=1,
                )  # fmt: skip
            except (ApiError, TransportError) as error:
                why = words(error)
            else:
                if found["hits"]["total"]["value"]:
                    return Pong(identity, time.monotonic() - begin)
                why = "no document yet"
            time.sleep(_LOOK)
    raise NoPong(f"{identity} is in Kafka, but no document of it is found after {seconds:g} s: {why.rstrip('.')}.")


def _send(settings: Settings) -> str:
    """Send a line to the topic of raw syslog, and return the identity of its event."""
    topic, answers = settings.prefix + RAW[0].name, list[tuple[KafkaError | None, Message]]()
    producer = Producer(client_conf(settings.kafka) | {"log_level": 0, "acks": "all"})
    line = f"<14>1 {_now()} ogrewatch ogrewatch - - - ping {secrets.token_hex(8)}"
    try:
        producer.produce(topic, line.encode(), b"ogrewatch", on_delivery=lambda *told: answers.append(told))
        producer.flush(_ANSWER)
    except KafkaException as error:
        raise NoPong(f"{topic} takes no line ({error.args[0].str()}).") from None
    if not answers or answers[0][0] is not None:
        why = answers[0][0].str() if answers and answers[0][0] is not None else f"no answer within {_ANSWER:g} s"
        raise NoPong(f"{topic} takes no line ({why}). `ogrewatch setup` creates what is missing.")
    message = answers[0][1]
    return f"{topic}-{message.partition()}-{message.offset()}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
