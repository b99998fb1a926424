"""Runs roles as processes, and starts each again whenever it ends, until a signal ends them all."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from operations.process import command_line

if TYPE_CHECKING:
    from agents.settings import Settings

PANEL = "Run"
ROLES = ("normalize", "count", "index", "web", "ingest")
_SINGLE = ("web", "ingest")  # each has one port

_LOOK = 0.2  # seconds between looks at the processes
_SHORT = 20.0  # seconds: a process that ended sooner is given a longer pause each time
_PAUSES = (1.0, 30.0)  # seconds before a process is started again: the first time, and at most
_GRACE = 40.0  # seconds a process has to stop


def command(
    roles: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(ROLES)}; none named: all.")] = None,
    processes: Annotated[int, typer.Option("-n", min=1, help="Processes a role; web and ingest are always one.")] = 1,
    bare: Annotated[bool, typer.Option("--bare", hidden=True)] = False,
    number: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Run roles in the foreground, one process each; a process that ends is started again.

    normalize, count and index are the agents; web is the live page, ingest the HTTP endpoint for events.

    Example: ogrewatch worker normalize -n 2
    """
    wanted = roles or list(ROLES)
    if unknown := set(wanted) - set(ROLES):
        raise typer.BadParameter(f"no such role: {', '.join(sorted(unknown))}")
    if bare:
        _run(wanted[0], number)
    else:
        _require_settings(wanted)
        _Supervisor([role for n in range(processes) for role in wanted if n == 0 or role not in _SINGLE]).run()


def _require_settings(roles: list[str]) -> None:
    """Raise `BadSettings` for invalid settings, before processes are started that would fail again and again."""
    from agents.counting.peers import advertised
    from agents.settings import Settings
    from cli.token import token_file
    from ingest.base import InvalidSettings
    from ingest.http.tls import require_safety
    from ingest.settings import IngestSettings
    from ingest.tokens import SEND
    from topics.environment import BadSettings
    from web.access import Access

    settings, ours = Settings(), IngestSettings()
    if "ingest" in roles:
        try:
            require_safety(ours, ours.client_ca is not None or token_file(None).asked(SEND))
        except InvalidSettings as error:
            raise BadSettings(f"{error}") from None
    if "count" in roles:
        advertised(settings)
    if "web" in roles:
        Access(settings)


def _run(role: str, number: int) -> None:
    """Run a role in this process. `number` counts processes over all roles, and decides on the port of metrics."""
    from agents.settings import Settings

    settings = Settings()
    os.umask(0o077)  # files hold logs of other people
    _check_servers(role, settings)
    if role == "web":
        from web.application import run as serve

        serve(settings)
        return
    if role == "ingest":
        from cli.ingest import http

        http()
        return
    from agents import metrics
    from agents.transport import run

    metrics.serve(settings.metrics_port, number)
    run(import_module(f"agents.{role}").make_app(settings), log_level=settings.log_level)


def _check_servers(role: str, settings: "Settings") -> None:
    """Raise `AccessRefused` when a server refuses the connection: clients would only log it, and try again for ever."""
    from topics.kafka import client

    client.answers(settings.kafka)
    if role == "index":
        from sinks.elasticsearch.connection import answers

        answers(settings.elasticsearch)


@dataclass(slots=True)
class _Slot:
    """Keeps one process running."""

    role: str
    number: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    again: float = 0.0
    pause: float = _PAUSES[0]

    def keep(self, now: float) -> None:
        """Start the process when it is due, and note when it has ended. Returns at once; call it again and again."""
        if self.process is None:
            if now >= self.again:
                command = command_line("worker", self.role, "--bare", "--number", str(self.number))
                self.process, self.started = subprocess.Popen(command), now
        elif (status := self.process.poll()) is not None:
            pause = self.pause if now - self.started < _SHORT else _PAUSES[0]
            self.process, self.again, self.pause = None, now + pause, min(2 * pause, _PAUSES[1])
            print(f"{self.role} ended with status {status}; started again in {pause:.0f} s", file=sys.stderr)


class _Supervisor:
    def __init__(self, roles: list[str]) -> None:
        self._slots, self._stopping = [_Slot(role, number) for number, role in enumerate(roles)], False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "_stopping", True))
        while not self._stopping:
            for slot in self._slots:
                slot.keep(time.monotonic())
            time.sleep(_LOOK)
        self._stop([slot.process for slot in self._slots if slot.process is not None])

    @staticmethod
    def _stop(running: list[subprocess.Popen[bytes]]) -> None:
        for process in running:
            process.terminate()
        until = time.monotonic() + _GRACE
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
