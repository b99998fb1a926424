"""Does faults to workers and servers. Each method is one fault, and blocks until the fault is undone."""

import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from random import Random
from typing import Any

from operations.soak.fleet import Fleet, Member
from operations.soak.load import RAW, Load
from operations.soak.site import wait_ready
from stack.server import Server
from topics.kafka.admin import set_topic

_SESSION = 10.0  # seconds after which the partitions of a silent worker move to another: the workers' setting
_ROLLED = 4  # data streams that roll over together
_STREAMS = "logs-ogrewatch.*,metrics-ogrewatch.*"
_TIGHT = "indices.breaker.total.limit"
_ATTEMPTS = 60  # attempts, a second apart, to undo a fault of Elasticsearch


class Faults:
    """Does faults to a fleet and its servers. `random` decides whom and how long; `stop` cuts each short."""

    def __init__(self, fleet: Fleet, load: Load, stop: threading.Event, random: Random) -> None:
        self._fleet, self._load, self._random, self._stop = fleet, load, random, stop
        self._site = fleet.site

    def _sleep(self, least: float, most: float) -> None:
        self._stop.wait(self._random.uniform(least, most))

    # Workers

    def kill(self, role: str) -> None:
        """Kill a worker by SIGKILL."""
        self._fleet.kill(self._any(role))

    def restart(self, role: str) -> None:
        """End a worker by SIGTERM; it is started again."""
        self._fleet.restart(self._any(role))

    def pause(self, role: str) -> None:
        """Pause a worker for longer than its session, and let it go on."""
        with self._paused(role):
            self._sleep(_SESSION + 2, _SESSION + 8)

    def join(self, role: str) -> None:
        """Start one more worker, and end it."""
        member = self._fleet.join(role)
        self._sleep(8, 16)
        self._fleet.leave(member)

    def zombie(self, role: str) -> None:
        """Pause a worker, let its successor take over, kill the successor, and let the first one go on."""
        successor = self._fleet.join(role)
        self._sleep(4, 8)
        with self._paused(role):
            self._sleep(_SESSION + 3, _SESSION + 8)
            self._fleet.kill(successor)
        self._sleep(2, 6)
        self._fleet.leave(successor)

    def crash(self) -> None:
        """Kill all workers at once by SIGKILL."""
        for member in list(self._fleet.members):
            self._fleet.kill(member)

    def _any(self, role: str) -> Member:
        return self._fleet.pick(role, self._random.choice)

    @contextmanager
    def _paused(self, role: str) -> Iterator[None]:
        member = self._fleet.first(role)
        self._fleet.pause(member)
        try:
            yield
        finally:
            self._fleet.resume(member)

    # Servers

    def kill_broker(self) -> None:
        """Kill the broker by SIGKILL, and start it again seconds later."""
        self._site.kafka.kill()
        self._start(self._site.kafka)

    def pause_broker(self) -> None:
        """Pause the broker for longer than sessions last."""
        self._pause(self._site.kafka)

    def kill_elasticsearch(self) -> None:
        """Kill Elasticsearch by SIGKILL, and start it again seconds later."""
        self._site.elasticsearch.kill()
        self._start(self._site.elasticsearch)

    def pause_elasticsearch(self) -> None:
        """Pause Elasticsearch: connections stay open, and nothing answers."""
        self._pause(self._site.elasticsearch)

    def block_indices(self) -> None:
        """Block writing to indices, as Elasticsearch does when its disk is full."""
        self._put_block(True)
        try:
            self._sleep(4, 8)
        finally:
            self._put_block(None)

    def exhaust_elasticsearch(self) -> None:
        """Make Elasticsearch refuse whole requests with 429, by a low limit of its memory."""
        self._put_limit("1%")
        try:
            self._sleep(4, 8)
        finally:
            self._put_limit(None)

    def roll_over(self) -> None:
        """Roll over some data streams, as their lifecycle does each day or at a size."""
        found = self._client.indices.get(index=_STREAMS, filter_path="*.data_stream", allow_no_indices=True)
        names = sorted({index["data_stream"] for index in found.values()})
        for name in self._random.sample(names, min(_ROLLED, len(names))):
            self._client.indices.rollover(alias=name)

    def skew_clock(self) -> None:
        """Let Kafka date one raw record two days ahead, as a broker with a wrong clock does."""
        self._date_by("CreateTime")
        try:
            self._load.send_ahead()
            self._sleep(1, 3)
        finally:
            self._date_by("LogAppendTime")

    def _date_by(self, clock: str) -> None:
        wanted = {"message.timestamp.type": clock, "message.timestamp.after.max.ms": str(2**63 - 1)}
        set_topic(self._site.settings.kafka, self._site.settings.prefix + RAW, wanted)

    def _start(self, server: Server) -> None:
        self._sleep(1, 6)
        server.start()
        wait_ready(server)

    def _pause(self, server: Server) -> None:
        group = server.daemon.pid()
        if group is not None:
            os.killpg(group, signal.SIGSTOP)
            try:
                self._sleep(_SESSION, _SESSION + 4)
            finally:
                os.killpg(group, signal.SIGCONT)

    def _put_block(self, value: bool | None) -> None:
        settings = {"index.blocks.read_only_allow_delete": value}
        self._client.indices.put_settings(index=_STREAMS, settings=settings, allow_no_indices=True)

    def _put_limit(self, value: str | None) -> None:
        self._client.cluster.put_settings(persistent={_TIGHT: value})

    @cached_property
    def _client(self) -> Any:
        from elasticsearch import Elasticsearch, ElasticsearchWarning

        warnings.filterwarnings(
            "ignore", category=ElasticsearchWarning
        )  # it warns that the limit is low, which is intended
        return Elasticsearch(
            self._site.elasticsearch.address, request_timeout=30, max_retries=_ATTEMPTS, retry_on_timeout=True,
            retry_on_status=(429, 502, 503, 504),
        )  # fmt: skip
