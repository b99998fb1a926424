"""Runs roles as processes, and starts each again whenever it ends, until a signal ends them all."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.run import ROLES, require_settings, run_role
from operations.process import command_line

PANEL = "Run"
_SINGLE = ("web", "ingest")  # each has one port

_LOOK = 0.2  # seconds between looks at the processes
_SHORT = 20.0  # seconds: a process that ended sooner is given a longer pause each time
_PAUSES = (1.0, 30.0)  # seconds before a process is started again: the first time, and at most
_MORE = 10.0  # seconds that a process may take to stop beyond its own grace


def command(
    roles: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(ROLES)}; none named: all.")] = None,
    processes: Annotated[int, typer.Option("-n", min=1, help="Processes a role; web and ingest are always one.")] = 1,
    bare: Annotated[bool, typer.Option("--bare", hidden=True)] = False,
    number: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Run roles in the foreground, one process each; a process that ends is started again.

    normalize, count, detect and index are the agents; web is the live page, ingest the HTTP endpoint for events.

    Example: ogrewatch worker normalize -n 2
    """
    wanted = roles or list(ROLES)
    if unknown := set(wanted) - set(ROLES):
        raise typer.BadParameter(f"no such role: {', '.join(sorted(unknown))}")
    if bare:
        run_role(wanted[0], number)
    else:
        require_settings(wanted)
        _Supervisor([role for n in range(processes) for role in wanted if n == 0 or role not in _SINGLE]).run()


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
                command = command_line("run", self.role, "--number", str(self.number))
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
        from agents.settings import Settings

        for process in running:
            process.terminate()
        until = time.monotonic() + Settings().grace + _MORE
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
