"""Sets up topics and index templates, starts workers and the demonstration, and finds out whether they answer."""

import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException

from agents.settings import Settings
from operations.process import command_line
from stack.daemon import Daemon
from stack.errors import StackError
from stack.installation import Installation
from topics.kafka.client import KafkaSecurity, settings_of

START_TIMEOUT, _KAFKA_TIMEOUT = 120.0, 30.0  # seconds: for servers and workers, and for a Kafka that runs already
_GLANCE = 0.2  # seconds between two looks
_ANY = ("0.0.0.0", "::", "")  # addresses to listen on that are none to connect to


def installation(settings: Settings) -> Installation:
    """The installation of this machine. Its embedded servers have no security: a secured one is not of them."""
    kafka = settings.kafka if settings_of(KafkaSecurity).protocol == "PLAINTEXT" else ""
    elasticsearch = "" if settings.elasticsearch.startswith("https:") else settings.elasticsearch
    return Installation.of(settings.data_dir, kafka, elasticsearch)


def create_topics(settings: Settings) -> None:
    """Create the topics that are missing. Raises `StackError` when Kafka does not answer or refuses."""
    from topics.errors import KafkaUnavailable
    from topics.kafka import admin

    with _told("Kafka", KafkaException, KafkaUnavailable):
        admin.create_topics(
            settings.kafka,
            prefix=settings.prefix,
            partitions=settings.partitions,
            replication=settings.replication,
            raw_retention=settings.raw_retention,
        )


def wait_for_kafka(settings: Settings) -> None:
    """Block until Kafka answers. Raises `StackError` when it does not in time."""
    from topics.kafka.client import answers

    if not _within(_KAFKA_TIMEOUT, lambda: answers(settings.kafka)):
        raise StackError(f"Kafka at {settings.kafka} does not answer: set OGREWATCH_KAFKA to one that does.")


def install_templates(settings: Settings) -> None:
    """Put the index templates in place. Raises `StackError` when Elasticsearch refuses."""
    from elasticsearch import ApiError, TransportError

    from sinks.elasticsearch.templates import install

    with _told("Elasticsearch", ApiError, TransportError):
        install(settings.elasticsearch)


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(_GLANCE)
    return held


def start_workers(here: Installation) -> None:
    """Start the workers unless they run."""
    if here.worker.pid() is None:
        here.worker.spawn(command_line("worker"))


def start_demonstration(here: Installation, *, again: bool) -> None:
    """Send the demonstration corpus in the background, if it was not sent before or `again` is set."""
    sent = here.data_dir / "demo.sent"
    if here.demo.pid() is None and (again or not sent.exists()):
        here.demo.spawn(command_line("produce", "--demo", "--keep-up"))
        sent.touch(0o600)


def wait_until(reached: Callable[[], bool], worker: Daemon) -> None:
    """Block until `reached` returns true. Raises `StackError` when the workers end or the time is over."""
    until = time.monotonic() + START_TIMEOUT
    while not reached():
        if worker.pid() is None:
            raise StackError(f"The workers ended; their log {worker.log_file} ends:\n{worker.last_words()}")
        if time.monotonic() > until:
            raise StackError(f"The workers are not done after {START_TIMEOUT:.0f} s; see their log {worker.log_file}.")
        time.sleep(_GLANCE)


def searchable(settings: Settings) -> bool:
    """Whether a search finds an event; errors count as no, since Elasticsearch may be busy with its first indices."""
    from elasticsearch import ApiError, TransportError

    from sinks.elasticsearch.connection import client

    with client(settings.elasticsearch, request_timeout=5) as made:
        try:
            found = made.count(index=f"logs-ogrewatch.*-{settings.namespace}", ignore_unavailable=True)
        except (ApiError, TransportError):
            return False
        return bool(found["count"])


def healthy(settings: Settings) -> bool:
    """Whether the web role answers, and says that every partition is counted."""
    try:
        with urllib.request.urlopen(f"{page(settings)}api/v1/health", timeout=5, context=_context(settings)) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def page(settings: Settings) -> str:
    """The address of the live page on this machine."""
    host = "127.0.0.1" if settings.web_host in _ANY else settings.web_host
    scheme = "https" if settings.web_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.web_port}/"


def _context(settings: Settings) -> ssl.SSLContext | None:
    """A context that trusts the page's own certificate, whatever its name and whoever signed it."""
    if settings.web_certificate is None:
        return None
    context = ssl.create_default_context(cafile=settings.web_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


@contextmanager
def _told(server: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn errors of a client into a `StackError`, whose sentence ends the command."""
    from elasticsearch import ApiError, TransportError

    from sinks.elasticsearch.connection import words

    try:
        yield
    except errors as error:
        said = words(error) if isinstance(error, ApiError | TransportError) else f"{server}: {error}"
        raise StackError(f"{server} refused its part of the set-up. {said}") from error
