"""Starts, finds and stops detached processes by a pid file; a log file takes their output."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.private import only_owner
from stack.processes import group_runs, started

_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Daemon:
    """A program that outlives the one that starts it.

    `<folder>/<name>.pid` holds its process id and start time, so that another program that got the same id later is
    never signalled. `<folder>/<name>.log` holds its output. The program leads its own session: Ctrl-C at the terminal
    does not reach it, and `kill` also ends its children.
    """

    name: str
    folder: Path

    @property
    def pid_file(self) -> Path:
        """Where the running process is recorded."""
        return self.folder / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        """Where standard output and error are appended, over restarts as well."""
        return self.folder / f"{self.name}.log"

    def spawn(self, command: Sequence[str], env: Mapping[str, str] | None = None, **facts: int | str) -> int:
        """Start the program and return its pid; `facts` are kept in the pid file. Raises OSError if it cannot run.

        Its files and its log are private to the owner, unless the program sets modes itself.
        """
        with only_owner():
            return self._spawn(command, env, facts)

    def _spawn(self, command: Sequence[str], env: Mapping[str, str] | None, facts: dict[str, int | str]) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_file.touch(0o600)
        self.log_file.chmod(0o600)  # earlier versions let others read it
        streams = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log_file), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pid = os.posix_spawnp(command[0], list(command), env or os.environ, file_actions=streams, setsid=True)
        temporary = self.pid_file.with_suffix(".pid.new")
        temporary.write_text(json.dumps({**facts, "pid": pid, "started": started(pid)}))
        temporary.replace(self.pid_file)
        return pid

    def facts(self) -> dict[str, int | str]:
        """What the pid file of the running process holds; empty when it does not run."""
        try:
            record: dict[str, int | str] = json.loads(self.pid_file.read_text())
        except (OSError, ValueError):
            return {}
        with contextlib.suppress(ChildProcessError):
            os.waitpid(int(record["pid"]), os.WNOHANG)  # reap it if it is a child of ours that has ended
        return record if started(int(record["pid"])) == record["started"] != "" else {}

    def pid(self) -> int | None:
        """The pid of the running process, None when it does not run."""
        found = self.facts().get("pid")
        return int(found) if found is not None else None

    def terminate(self, timeout: float) -> bool:
        """Send SIGTERM and wait; after `timeout` seconds, kill. True when the process ended by itself."""
        if self._end(os.kill, signal.SIGTERM, timeout):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """Send SIGKILL to the process and its children, and wait until they have ended."""
        self._end(os.killpg, signal.SIGKILL, 10.0)

    def last_words(self, lines: int = 5) -> str:
        """The end of the log file, for a message about a process that died."""
        try:
            text = self.log_file.read_bytes()[-4096:].decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _end(self, send: Callable[[int, int], None], number: int, timeout: float) -> bool:
        """Signal, then wait for the whole group; False when some of it still runs after `timeout` seconds."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                send(pid, number)
            if not self._wait(pid, timeout):
                return False
        self.pid_file.unlink(missing_ok=True)
        return True

    def _wait(self, group: int, timeout: float) -> bool:
        until = time.monotonic() + timeout
        while self.pid() is not None or group_runs(group):
            if time.monotonic() >= until:
                return False
            time.sleep(_POLL)
        return True
