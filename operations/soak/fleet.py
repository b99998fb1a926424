"""Keeps worker processes running: each is started again whenever it ends, until it is told to leave."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from operations.bench.resource_usage import peak_mb
from operations.process import command_line
from operations.soak.site import Site

ROLES = ("normalize", "count", "detect", "index")
_LOOK = 0.2  # seconds between looks at the processes
_AGAIN = 1.0  # seconds before a process that ended is started again
_ENDS = (0, -signal.SIGTERM, -signal.SIGKILL)  # expected exit codes; SIGTERM kills a worker that is still starting
_GRACE = 45.0  # seconds that a process has to end


@dataclass(eq=False, slots=True)
class Member:
    """One worker, whose process changes when it is started again. `wanted` becomes false when it is told to leave."""

    role: str
    number: int
    log: Path
    wanted: bool = True
    asked: bool = False  # whether it was asked to end; any other end is unexpected
    process: "subprocess.Popen[bytes] | None" = None
    again: float = 0.0

    def __str__(self) -> str:
        return f"{self.role} {self.number}"

    def last_words(self) -> str:
        """The last lines that it printed."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return lines[-1] if lines else ""


@dataclass(slots=True)
class Fleet:
    """All workers, which are kept running during a `with`. Threads may share it."""

    site: Site
    members: list[Member] = field(default_factory=list)
    peaks: dict[str, int] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    """Ends that nobody asked for: a worker that met what it must not go on with."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        threading.Thread(target=self._look_after, name="fleet", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """End all workers at once."""
        self._over.set()
        with self._lock:
            for member in self.members:
                member.wanted = False
                self._signal(member, signal.SIGKILL, last=True)
                if member.process is not None:
                    member.process.wait()

    def join(self, role: str) -> Member:
        """Start one more worker of a role."""
        with self._lock:
            number = len(self.members) + 1
            member = Member(role, number, self.site.folder / f"{role}-{number}.log")
            self.members.append(member)
            self._start(member)
        return member

    def first(self, role: str) -> Member:
        """The oldest worker of a role."""
        return self.pick(role, lambda members: members[0])

    def pick(self, role: str, choose: Callable[[list[Member]], Member]) -> Member:
        """One of the workers of a role, oldest first, that are wanted."""
        with self._lock:
            return choose([member for member in self.members if member.role == role and member.wanted])

    def kill(self, member: Member) -> None:
        """Kill a worker by SIGKILL; it is started again if it is wanted."""
        with self._lock:
            self._signal(member, signal.SIGKILL, last=True)

    def pause(self, member: Member) -> None:
        """Pause a worker by SIGSTOP."""
        with self._lock:
            self._signal(member, signal.SIGSTOP)

    def resume(self, member: Member) -> None:
        """Let a paused worker go on by SIGCONT."""
        with self._lock:
            self._signal(member, signal.SIGCONT)

    def restart(self, member: Member) -> None:
        """End a worker by SIGTERM and wait for its end; it is started again."""
        with self._lock:
            process = member.process
            self._signal(member, signal.SIGTERM, last=True)
        self._wait(member, process)

    def leave(self, member: Member) -> None:
        """End a worker for good by SIGTERM, and wait for its end."""
        member.wanted = False
        self.restart(member)

    def rest(self) -> None:
        """End all workers, and start none until `start_all`; blocks."""
        with self._lock:
            members = [member for member in self.members if member.wanted]
        for member in members:
            self.leave(member)

    def start_all(self, each: int) -> None:
        """Start so many workers of each role."""
        for role in ROLES * each:
            self.join(role)

    def _look_after(self) -> None:
        """Note peaks of memory and unexpected ends, and start again what has ended."""
        while not self._over.wait(_LOOK):
            with self._lock:
                for member in self.members:
                    self._keep(member)

    def _start(self, member: Member) -> None:
        with member.log.open("ab") as log:
            member.process = subprocess.Popen(
                command_line("worker", member.role, "--bare"), env=self.site.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        member.asked = False

    def _signal(self, member: Member, number: signal.Signals, last: bool = False) -> None:
        if member.process is not None and member.process.poll() is None:
            member.asked = member.asked or last
            member.process.send_signal(number)

    def _keep(self, member: Member) -> None:
        if member.process is None:
            if member.wanted and time.monotonic() >= member.again:
                self._start(member)
            return
        status = member.process.poll()
        if status is None:
            self.peaks[member.role] = max(self.peaks.get(member.role, 0), peak_mb(member.process.pid))
            return
        if not member.asked or status not in _ENDS:
            self.ends.append(f"{member} ended with status {status}: {member.last_words()}")
        member.process, member.again = None, time.monotonic() + _AGAIN

    def _wait(self, member: Member, process: "subprocess.Popen[bytes] | None") -> None:
        if process is None:
            return
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.ends.append(f"{member} did not end within {_GRACE:.0f} s")
            process.kill()
