"""Makes Faust apps that read batches, write through librdkafka, and end the process rather than skip records."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, TopicT
from mode import CrashingSupervisor

from agents.transport.batch import BatchSchema
from agents.transport.consumer import Consumer
from agents.transport.credentials import credentials
from agents.transport.kafka_producer import GaplessProducer
from agents.transport.producer import Producer
from agents.transport.recovery import TableManager
from topics.health import Health

DAY = 86_400.0

_FIXED: dict[str, Any] = {
    "agent_supervisor": CrashingSupervisor,  # a failing agent ends the process; Faust's default skips what failed
    "consumer_auto_offset_reset": "earliest",
    "stream_wait_empty": False,  # else a rebalance waits for a stuck agent; see `settle`
    "table_standby_replicas": 0,  # standbys unbalance the assignment
    "topic_allow_declare": False,  # else it asks for topics that are there, and ends if the broker goes meanwhile
    "topic_disable_leader": True,
}
_DEFAULTS: dict[str, Any] = {
    "broker_commit_interval": 1.0,
    "broker_heartbeat_interval": 2.0,
    "broker_max_poll_interval": DAY,  # the longest a sink may sit out an outage
    "broker_max_poll_records": 5000,
    "consumer_metadata_max_age_ms": 30_000,  # until added partitions are noticed
    "broker_session_timeout": 10.0,  # until the partitions of a killed worker move on
    "key_serializer": "raw",
    "store": "memory://",
    "value_serializer": "raw",
    "web_enabled": False,
}


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer and producer."""

    Consumer = Consumer
    Producer = Producer


class BatchApp(faust.App):
    """A Faust app whose agents take one `Batch` per event from `batch_topics`, and acknowledge it themselves.

    `broker` is a comma-separated list of host:port; how it is spoken to, OGREWATCH_KAFKA_* say. `batch_max_bytes`
    bounds the memory of all batches that are handed out and not acknowledged (half is shared evenly, half is for all;
    a partition that has used up its share is not fetched); aiokafka holds up to a compressed MiB per partition besides.
    `delivery` overrides librdkafka's settings for what is produced. `truncation_help` is appended to the message that
    ends the process when Kafka has lost the end of a log. `on_committed` is called after each commit; the default,
    `int`, does nothing. `on_hop` is called for each batch with a stage and the age of its first record in seconds:
    "taken" when an agent gets the batch, "done" when it is acknowledged. `settings` are Faust's. `conditions` of
    readiness may be added: each returns "" if it holds.

    An agent reads `async for event in stream.events()`, and calls `event.ack()` once everything the batch led to is
    durable. What is not acknowledged is read again after a restart or a rebalance; acknowledgements that come after
    a rebalance count for nothing.
    """

    revoke_grace, stop_grace = 2.0, 5.0  # seconds agents have to finish what they hold

    def __init__(
        self,
        id: str,
        *,
        broker: str,
        batch_topics: Collection[str],
        batch_max_bytes: int = 64 << 20,
        partitions: int,
        datadir: Path,
        delivery: Mapping[str, Any] | None = None,
        truncation_help: str = "",
        on_committed: Callable[[], object] = int,
        on_hop: Callable[[str, float], object] = lambda *_: None,
        **settings: Any,
    ) -> None:
        self.batch_topics, self.batch_max_bytes = frozenset(batch_topics), batch_max_bytes
        self.servers, self.delivery = broker, GaplessProducer(broker, delivery)
        self.truncation_help, self.on_committed, self.on_hop = truncation_help, on_committed, on_hop
        self.serving = -1  # the generation of the group whose streams flow
        self.conditions: list[Callable[[], str]] = []
        self.assignments, self.recovery_seconds = 0, 0.0  # how many, and how long the last took until streams flowed
        self._assigned = time.monotonic()
        datadir.mkdir(parents=True, exist_ok=True)  # Faust makes only the last folder
        super().__init__(
            id,
            broker=[f"kafka://{server.strip()}" for server in broker.split(",")],
            broker_credentials=credentials(),
            topic_partitions=partitions,
            datadir=datadir,
            TableManager=TableManager,
            **_FIXED,
            **{**_DEFAULTS, **settings},
        )

    def batch_topic(self, *names: str) -> TopicT:
        """Return one channel over some of the batch topics, for `app.agent`."""
        if strangers := set(names) - self.batch_topics:
            raise ValueError(f"not among the batch topics: {', '.join(sorted(strangers))}")
        return self.topic(*names, schema=BatchSchema())

    def stream(self, channel: Any, beacon: Any = None, **options: Any) -> Any:
        """Make a stream; one over batches never acknowledges by itself.

        Faust acknowledges an event when the agent asks for the next one, and also when the agent raises or is
        cancelled (its issues #189, #527): what the agent had in hand would be committed and lost.
        """
        if self.batch_topics.intersection(getattr(channel, "topics", None) or ()):
            options["enable_acks"] = False
        return super().stream(channel, beacon, **options)

    def assigned(self) -> None:
        """Note that partitions were assigned just now."""
        self.assignments += 1
        self._assigned = time.monotonic()

    def serves(self, generation: int) -> None:
        """Note that the streams of a generation of the group flow: tables are recovered."""
        self.serving, self.recovery_seconds = generation, time.monotonic() - self._assigned

    def accounts(self) -> Iterator[tuple[TP, tuple[int, int, int, float]]]:
        """Yield for each partition: batches and bytes not acknowledged, records not handed out yet, and how many
        seconds ago the oldest of these records came (0 if there are none).
        """
        if self._consumer is not None:
            yield from cast(Consumer, self._consumer).accounts()

    def beat(self, health: Health) -> None:
        """Have the fetch thread note that its loop turns, if it runs."""
        if self._consumer is not None:
            cast(Consumer, self._consumer).beat(health)

    def missing(self) -> str:
        """Why nothing is processed now, "" if the app has its partitions and can reach Kafka. For any thread."""
        if self._consumer is None or self.serving < 0:
            return "not in its group, or tables are not recovered yet"
        if self.rebalancing or self.serving != self.consumer_generation_id:
            return "partitions are moving"
        if not cast(Consumer, self._consumer).has_coordinator():
            return "Kafka does not answer"
        return next(filter(None, (condition() for condition in self.conditions)), "")

    async def watch_topics(self) -> None:
        """End the process if a topic that it reads was created again since the assignment."""
        if self._consumer is not None:
            await cast(Consumer, self._consumer).watch_topics()

    def committed(self, tp: TP) -> int:
        """Return the offset at which a restart would begin to read a partition, as far as Kafka has confirmed it."""
        return cast(Consumer, self._consumer).committed_offset(tp) if self._consumer is not None else 0

    async def commit_as_owner(self, generation: int, partitions: Collection[int]) -> bool:
        """Commit what is acknowledged of these partitions of all batch topics under a generation; True if it succeeded.

        Success proves that this worker owned them, and that their next owner will find what is durable by now. False
        proves nothing: ask again, unless the partitions have moved by then.
        """
        return await cast(Consumer, self.consumer).commit_as_owner(generation, partitions)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Transport:
        return Transport(self.conf.broker_producer, self)

    async def _consumer_wait_empty(self, consumer: Any, logger: Any) -> None:
        """Let agents finish what they hold, for a while, and commit it: on a stop and before every rebalance."""
        grace = self.stop_grace if self.should_stop else self.revoke_grace
        await cast(Consumer, consumer).settle(
            0.0 if self.crashed else grace
        )  # an agent that failed acknowledges nothing
