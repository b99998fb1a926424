"""Checks whether this machine and this installation have what Ogrewatch needs.

Each check yields findings, and one that is bad says how to mend it.
"""

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agents.settings import Settings
from operations.printable import without_credentials
from operations.start import installation
from stack import cache, java
from stack.errors import StackError
from stack.ports import is_free

_LEAST_PYTHON = (3, 11)  # as `requires-python` in pyproject.toml
OUR_PACKAGES = frozenset(
    {"topics", "streams", "enrichers", "sinks", "alerts", "ingest", "agents", "web", "operations", "cli", "stack"},
)
"""The import names that belong to Ogrewatch alone in its environment."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: its name, whether it is good, and a sentence that says what to do if it is not."""

    name: str
    ok: bool
    says: str


def python(_: Settings) -> Iterator[Finding]:
    """The interpreter is one we support."""
    ok = sys.version_info >= _LEAST_PYTHON
    wanted = "" if ok else f"; {'.'.join(map(str, _LEAST_PYTHON))} or later is needed: make .venv anew with one."
    yield Finding("Python", ok, f"Python {platform.python_version()} at {sys.prefix}{wanted}")


def packages(_: Settings) -> Iterator[Finding]:
    """No other distribution has put files under our import names: they would shadow ours, or be shadowed."""
    intruders = sorted(
        f"{distribution.name} ({top})"
        for distribution in importlib.metadata.distributions()
        if distribution.name != "ogrewatch"
        for top in {file.parts[0] for file in distribution.files or ()} & OUR_PACKAGES
    )
    says = f"these bring packages named like ours: {', '.join(intruders)}; uninstall them, or make .venv anew."
    yield Finding("Package names", not intruders, says if intruders else "All import names are ours alone.")


def maxminddb(_: Settings) -> Iterator[Finding]:
    """GeoIP look-ups use the C reader; the pure Python one is some thirty times slower."""
    ok = importlib.util.find_spec("maxminddb.extension") is not None
    bad = "maxminddb lacks its C extension, look-ups are slow: reinstall it where a wheel or a compiler exists."
    yield Finding("GeoIP reader", ok, "maxminddb has its C extension." if ok else bad)


def java_runtime(_: Settings) -> Iterator[Finding]:
    """The embedded servers need Java."""
    try:
        found = java.find_java()
    except StackError as error:
        yield Finding("Java", False, str(error))
    else:
        yield Finding("Java", True, f"Java {found.version} at {found.home}.")


def downloads(_: Settings) -> Iterator[Finding]:
    """The servers are in the cache, or Maven is there to fetch them."""
    missing = [package for package in (cache.KAFKA, cache.ELASTICSEARCH) if not cache.location(package).exists()]
    where = cache.cache_dir()
    try:
        maven = java.find_maven()
    except StackError as error:
        yield Finding(
            "Maven", not missing, "Missing, and not needed: the cache is full." if not missing else str(error)
        )
    else:
        yield Finding("Maven", True, f"Maven at {maven}.")
    names = " and ".join(package.title for package in missing)
    says = f"{names} will be fetched into {where} by `ogrewatch up`." if missing else f"Both servers are in {where}."
    yield Finding("Cache", True, says)


def kafka_answers(settings: Settings) -> Iterator[Finding]:
    """Kafka is reachable."""
    from topics.errors import AccessRefused
    from topics.kafka.client import answers

    try:
        there = answers(settings.kafka)
        yield _server(settings, "Kafka", settings.kafka, there)
        yield from _replicas(settings) if there else ()
    except AccessRefused as error:
        yield Finding("Kafka", False, str(error))


def _replicas(settings: Settings) -> Iterator[Finding]:
    """Records outlive a disk: of three replicas two must have one before it is acknowledged."""
    from topics.kafka.admin import weakly_acknowledged

    if weak := weakly_acknowledged(settings.kafka, settings.prefix):
        says = f"min.insync.replicas is 1 for {', '.join(weak)}: set it to 2 with kafka-configs.sh."
        yield Finding("Replicas", False, says)


def elasticsearch_answers(settings: Settings) -> Iterator[Finding]:
    """Elasticsearch is reachable."""
    from sinks.elasticsearch.connection import answers
    from topics.errors import AccessRefused

    try:
        yield _server(settings, "Elasticsearch", settings.elasticsearch, answers(settings.elasticsearch))
    except AccessRefused as error:
        yield Finding("Elasticsearch", False, str(error))


def _server(settings: Settings, title: str, address: str, answers: bool) -> Finding:
    """The finding about a server. One of ours whose port is taken cannot start: `ogrewatch up` takes no port away."""
    here = installation(settings)
    ours = next((server for server in here.servers() if server.name == title.lower()), None)
    if answers:
        started = "" if ours and ours.running() else ", not started by `ogrewatch up`"
        return Finding(title, True, f"Answers at {without_credentials(address)}{started}.")
    if ours and not ours.running() and not is_free(ours.port):
        return Finding(title, False, f"Port {ours.port} is taken: {_move(ours.setting)}")
    return Finding(
        title,
        False,
        f"No answer at {without_credentials(address)}: run `ogrewatch up`, or set OGREWATCH_{title.upper()}.",
    )


def _move(setting: str) -> str:
    return f"end the program that has it, or choose another port with {setting}."


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    python,
    packages,
    maxminddb,
    java_runtime,
    downloads,
    kafka_answers,
    elasticsearch_answers,
)
"""All checks, in the order in which they are shown."""
