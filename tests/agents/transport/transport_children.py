"""The small application of `transport_child.py`, as the tests see it from outside."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transport_kit import Cluster

_LISTEN = "0A"
"""The state of a socket in /proc/net/tcp."""


class Child:
    def __init__(self, cluster: Cluster, group: str, datadir: Path, **more: Any) -> None:
        self.cluster, self.group = cluster, group
        self.source, self.sink = f"{cluster.prefix}-source", f"{cluster.prefix}-sink"
        common = {"group": group, "servers": cluster.servers, "datadir": str(datadir)}
        self.settings = json.dumps({**common, "source": self.source, "sink": self.sink, **more})
        self.command = [sys.executable, str(Path(__file__).with_name("transport_child.py")), self.settings]
        datadir.mkdir(exist_ok=True)
        self._log = datadir / "child.log"
        with self._log.open("a") as log:  # not a pipe: a full one would stop the child
            self.process = subprocess.Popen(self.command, stderr=log)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(120)

    @property
    def errors(self) -> str:
        """What it printed."""
        return self._log.read_text()

    def listens(self) -> bool:
        """Whether it has a TCP port open for others."""
        process = Path("/proc", str(self.process.pid))
        links = (link.readlink() for link in (process / "fd").iterdir() if link.is_symlink())
        held = {str(link) for link in links}
        rows = [line.split() for line in (process / "net" / "tcp").read_text().splitlines()[1:]]
        return any(row[3] == _LISTEN and f"socket:[{row[9]}]" in held for row in rows)

    def kill(self) -> None:
        """Leave nothing behind, however the test ended."""
        self.process.kill()
        self.process.wait(30)

    def committed(self) -> int:
        return self.cluster.committed(self.group, self.source)

    def copied(self) -> list[int]:
        return [int(record.value() or b"-1") for record in self.cluster.read(self.sink)]


def until(condition: Callable[[], bool], limit: float = 90.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
