"""Roles in, processes out: one process a role, started again whenever it ends, until a signal ends them all."""

import signal
import subprocess
import sys
import time
from importlib import import_module
from typing import Annotated

import typer

from cli.itself import ogrewatch

PANEL = "Run"
ROLES = ("normalize", "count", "index")

_PAUSE = 1.0  # seconds before a process that ended is started again
_GRACE = 40.0  # seconds a process has to stop


def command(
    roles: Annotated[list[str] | None, typer.Argument(help="normalize, count, index; none named: all.")] = None,
    processes: Annotated[int, typer.Option("-n", min=1, help="Processes a role.")] = 1,
    bare: Annotated[bool, typer.Option("--bare", hidden=True)] = False,
) -> None:
    """Run agents in the foreground, one process a role; a process that ends is started again.

    Example: ogrewatch worker normalize -n 2
    """
    wanted = roles or list(ROLES)
    if unknown := set(wanted) - set(ROLES):
        raise typer.BadParameter(f"no such role: {', '.join(sorted(unknown))}")
    if bare:
        _run(wanted[0])
    _Supervisor(wanted * processes).run()


def _run(role: str) -> None:
    from agents.settings import Settings
    from agents.transport import run

    settings = Settings()
    run(import_module(f"agents.{role}").make_app(settings), log_level=settings.log_level)


class _Supervisor:
    def __init__(self, roles: list[str]) -> None:
        self._roles, self._stopping = roles, False
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "_stopping", True))
        while not self._stopping:
            for slot, role in enumerate(self._roles):
                self._keep(slot, role)
            time.sleep(_PAUSE)
        self._stop()

    def _keep(self, slot: int, role: str) -> None:
        process = self._running.get(slot)
        if process is not None and (code := process.poll()) is None:
            return
        if process is not None:
            print(f"{role} ended with status {code}; starting it again", file=sys.stderr, flush=True)
        self._running[slot] = subprocess.Popen(ogrewatch("worker", role, "--bare"))

    def _stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        until = time.monotonic() + _GRACE
        for process in self._running.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
