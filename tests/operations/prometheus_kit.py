"""Runs a real Prometheus, and a door before Elasticsearch that can be shut."""

import json
import re
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

import yaml
from installation_kit import until
from lacking import lacking

from stack.cache import cache_dir
from stack.ports import HOST, free_port

RULES = Path(__file__).parents[2] / "stack" / "prometheus" / "ogrewatch.rules.yml"


class Prometheus:
    """A Prometheus that scrapes `ports` each second, with our rules made impatient (`impatient`)."""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self._folder, self._ports, self._port = folder, ports, free_port()

    @contextmanager
    def running(self) -> Iterator["Prometheus"]:
        """Run it for the time of a `with`."""
        program = cache_dir() / "prometheus" / "usr" / "bin" / "prometheus"
        if not program.exists():
            lacking("prometheus is missing: scripts/fetch-prometheus unpacks it (Debian)")
        self._folder.mkdir()
        (self._folder / "rules.yml").write_text(impatient(RULES.read_text()))
        targets = [{"targets": [f"{HOST}:{port}" for port in self._ports]}]
        job = {"job_name": "ogrewatch", "static_configs": targets}
        every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        known = {"global": every, "rule_files": ["rules.yml"], "scrape_configs": [job]}
        (self._folder / "prometheus.yml").write_text(yaml.safe_dump(known))
        command = [
            str(program),
            f"--config.file={self._folder}/prometheus.yml",
            f"--storage.tsdb.path={self._folder}/data",
        ]
        process = subprocess.Popen([*command, f"--web.listen-address={HOST}:{self._port}", "--log.level=warn"])
        try:
            until(self._answers)
            yield self
        finally:
            process.terminate()
            process.wait()

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{self._port}/-/ready", timeout=5):
            return True
        return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an expression now: labels as `metric`, and a `value`."""
        question = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://{HOST}:{self._port}/api/v1/query?{question}", timeout=30) as answer:
            return list(json.load(answer)["data"]["result"])

    def firing(self) -> set[str]:
        """The alerts of ours that fire, with the role, job or way that they name."""
        found = self.query('ALERTS{alertname=~"Ogrewatch.*", alertstate="firing"}')
        labels = [one["metric"] for one in found]
        return {" ".join([one["alertname"], *(one[n] for n in ("role", "way") if n in one)]) for one in labels}


def impatient(rules: str) -> str:
    """The rules without the times for which something must hold, and with seconds where they count minutes."""
    rules = re.sub(r"\n +for: \w+", "", rules).replace("interval: 15s", "interval: 1s")
    return rules.replace("_seconds) > 60)", "_seconds) > 5)").replace("_behind) > 300", "_behind) > 5")


class Door:
    """Forwards connections to a server for as long as it is open."""

    def __init__(self, behind: str) -> None:
        self._behind, self.port = urlsplit(behind), free_port()
        self._server: ThreadingTCPServer | None = None
        self._sockets = set[socket.socket]()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    def open(self) -> None:
        """Accept connections. Harmless if it is open."""
        if self._server is not None:
            return
        door, place = self, (self._behind.hostname, self._behind.port)

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(place) as other:
                    door._sockets |= {self.request, other}
                    back = threading.Thread(target=_pump, args=(other, self.request))
                    back.start()
                    _pump(self.request, other)
                    back.join()
                    door._sockets -= {self.request, other}

        ThreadingTCPServer.allow_reuse_address = True
        self._server = ThreadingTCPServer((HOST, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections and end those that there are. Harmless if it is shut."""
        if self._server is not None:
            self._server.shutdown()
            for one in list(self._sockets):
                _end(one)
            self._server.server_close()
            self._server = None


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
