"""Describes a local installation: its data directory, and the servers and processes that run, or may run, for it."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stack.daemon import Daemon
from stack.elasticsearch import Elasticsearch
from stack.errors import StackError
from stack.kafka import Kafka
from stack.private import only_owner
from stack.server import Server

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Installation:
    """The servers and processes of one data directory. `port` is None for a server that is not on loopback."""

    data_dir: Path
    kafka_port: int | None = None
    elasticsearch_port: int | None = None

    @classmethod
    def of(cls, data_dir: Path, kafka: str, elasticsearch: str) -> "Installation":
        """Make one from bootstrap servers and a URL. Only servers at a single loopback address are started by us."""
        return cls(data_dir, _local_port(f"//{kafka}"), _local_port(elasticsearch))

    @property
    def worker(self) -> Daemon:
        """The supervisor of the worker processes."""
        return Daemon("worker", self.data_dir)

    @property
    def demo(self) -> Daemon:
        """The replay of the demonstration corpus."""
        return Daemon("demo", self.data_dir)

    def servers(self) -> list[Server]:
        """The embedded servers of this installation: those with a port."""
        found: list[Server] = []
        if self.kafka_port:
            found.append(Kafka(self.data_dir / "kafka", self.kafka_port))
        if self.elasticsearch_port:
            found.append(Elasticsearch(self.data_dir / "elasticsearch", self.elasticsearch_port))
        return found

    def stop(self) -> list[str]:
        """Stop all running processes, clients before servers, and return their names. Data is kept."""
        folders = {"elasticsearch": self.data_dir / "elasticsearch", "kafka": self.data_dir / "kafka"}
        daemons = [self.demo, self.worker, *(Daemon(name, folder) for name, folder in folders.items())]
        running = [daemon for daemon in daemons if daemon.pid() is not None]
        for daemon in running:
            daemon.terminate(timeout=60.0)
        return [daemon.name for daemon in running]

    @property
    def mark(self) -> Path:
        """The file that marks a data directory as made by us. Only such a directory is removed."""
        return self.data_dir / ".ogrewatch"

    def create(self) -> None:
        """Make the data directory, 0700. Raises StackError when that is not allowed.

        A directory that exists keeps its mode: it may be shared (such as /tmp), and each file in it is private anyway.
        """
        try:
            with only_owner():
                self.data_dir.mkdir(parents=True, exist_ok=True)
                self.mark.touch()
        except OSError as error:
            raise StackError(
                f"{self.data_dir} cannot be written ({error.strerror}): set OGREWATCH_DATA_DIR to a directory that can."
            ) from None

    def remove(self) -> bool:
        """Remove the data directory with everything in it; False when there is none.

        Raises StackError when it exists without our mark: then it was not made by us.
        """
        if not self.data_dir.exists():
            return False
        if not self.mark.exists():
            raise StackError(f"{self.data_dir} was not made by `ogrewatch up`, so nothing in it was removed.")
        shutil.rmtree(self.data_dir)
        return True


def _local_port(address: str) -> int | None:
    parts = urlsplit(address)
    return parts.port if "," not in address and parts.hostname in _LOOPBACK else None
