"""Defines the base class of the embedded servers: fetch, start, wait until it answers, stop, kill."""

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from stack.daemon import Daemon
from stack.errors import StackError
from stack.ports import free_port, is_free
from stack.private import make_private, only_owner

_POLL = 0.1  # seconds


class Server(ABC):
    """One server on loopback, with its data, pid file and log in one directory. Not safe for concurrent use.

    Data survives `stop` and `kill`; `start` continues with it. `port` 0 picks a free port, which the object
    then keeps. As a context manager a server runs and answers inside the block.
    """

    name: ClassVar[str]
    setting: ClassVar[str]

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port
        self.daemon = Daemon(self.name, self.data_dir)

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> bool:
        """Start the server without waiting for it. False when it already runs.

        Raises StackError when its port is taken, it runs on another port, or its files cannot be fetched.
        """
        if self.running():
            self._keep_port(int(self.daemon.facts()["port"]))
            return False
        self.port = self.port or free_port()
        if not is_free(self.port):
            raise StackError(
                f"Port {self.port} is taken: end the program on it, or move {self.name} with {self.setting}."
            )
        self._fetch()
        make_private(self.data_dir)
        with only_owner():
            self._launch()
        return True

    def running(self) -> bool:
        """Whether the server of this data directory runs, whoever started it."""
        return self.daemon.pid() is not None

    def wait_ready(self, timeout: float = 90.0) -> None:
        """Block until the server answers. Raises StackError when it ends first or takes longer than `timeout`."""
        until = time.monotonic() + timeout
        while not self.answers():
            if not self.running():
                raise StackError(
                    f"{self.name} ended while starting; its log {self.daemon.log_file} ends:\n{self._words()}"
                )
            if time.monotonic() >= until:
                raise StackError(f"{self.name} did not answer in {timeout:.0f} s; see its log {self.daemon.log_file}.")
            time.sleep(_POLL)

    def stop(self, timeout: float = 30.0) -> None:
        """Send SIGTERM, wait, and send SIGKILL after `timeout` seconds. Does nothing when the server does not run."""
        self.daemon.terminate(timeout)

    def kill(self) -> None:
        """Send SIGKILL: the server ends as in a crash."""
        self.daemon.kill()

    @property
    @abstractmethod
    def address(self) -> str:
        """The address that clients use."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server works now. Blocks for two seconds at most."""

    def _fetch(self) -> None:  # noqa: B027 - optional
        """Fetch the files of the server. They are shared by all users of the cache, hence not private."""

    @abstractmethod
    def _launch(self) -> None:
        """Write the configuration and spawn the process."""

    def _keep_port(self, port: int) -> None:
        if self.port not in (0, port):
            raise StackError(
                f"{self.name} already runs on port {port}, not {self.port}: run `ogrewatch down` first, or set"
                f" {self.setting} back."
            )
        self.port = port

    def _words(self) -> str:
        return self.daemon.last_words()
