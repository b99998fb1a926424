"""Runs Apache Kafka as one node in KRaft mode on loopback.

https://kafka.apache.org/documentation/#brokerconfigs
"""

import base64
import subprocess
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack.cache import KAFKA, ensure
from stack.errors import StackError
from stack.java import find_java
from stack.ports import HOST, free_port, is_open
from stack.server import Server

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of the largest batch of records."""


def reachable(servers: str, timeout: float = 2.0) -> bool:
    """Whether a Kafka answers at these bootstrap servers. Blocks for `timeout` seconds at most."""
    try:
        return bool(AdminClient({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=timeout).brokers)
    except KafkaException:
        return False


class Kafka(Server):
    """Kafka as broker and controller in one process. Topics are not created automatically."""

    name = "kafka"
    setting = "OGREWATCH_KAFKA"

    def __init__(self, data_dir: Path, port: int = 0, controller_port: int = 0, heap: str = "512m") -> None:
        super().__init__(data_dir, port)
        self.controller_port = controller_port
        self.heap = heap

    @property
    def address(self) -> str:
        """The bootstrap server, host:port."""
        return f"{HOST}:{self.port}"

    def answers(self) -> bool:
        """Whether the broker answers a request for metadata, and lists itself."""
        return is_open(self.port) and reachable(self.address)

    def _fetch(self) -> None:
        ensure(KAFKA)

    def _launch(self) -> None:
        self.controller_port = self.controller_port or free_port()
        properties = self.data_dir / "server.properties"
        properties.write_text(self._properties())
        java = [str(find_java().executable), "-cp", f"{ensure(KAFKA)}/*"]
        self._format([*java, "kafka.tools.StorageTool"], properties)
        tuning = [f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+ExitOnOutOfMemoryError"]
        level = "-Dorg.apache.logging.log4j.level=WARN"
        self.daemon.spawn([*java, *tuning, level, "kafka.Kafka", str(properties)], port=self.port)

    def _format(self, tool: list[str], properties: Path) -> None:
        """Format a new log directory with a random cluster id; one that is formatted is left unchanged."""
        if (self.data_dir / "log" / "meta.properties").exists():
            return
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # As one argument with "=", since one id in 64 begins with "-" and would be parsed as an option.
        command = [*tool, "format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(properties)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise StackError(f"Kafka cannot use {self.data_dir}: {(done.stderr or done.stdout).strip()}")

    def _properties(self) -> str:
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{HOST}:{self.controller_port}",
            "listeners": f"PLAINTEXT://{HOST}:{self.port},CONTROLLER://{HOST}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.data_dir / "log",
            "auto.create.topics.enable": "false",
            "message.max.bytes": MAX_MESSAGE,
            "replica.fetch.max.bytes": MAX_MESSAGE,
            "group.initial.rebalance.delay.ms": 0,
            "broker.heartbeat.interval.ms": 1000,
            "broker.session.timeout.ms": 4000,  # how long a start after a crash waits for the old session to end
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())
