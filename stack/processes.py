"""Tells whether a process or a process group runs, and when it started.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Process(NamedTuple):
    """One running process. `started` tells processes apart that had the same id one after another."""

    pid: int
    group: int
    started: str


def started(pid: int) -> str:
    """When the process started, in a format that depends on the system; "" when it does not run."""
    return next((process.started for process in _list(pid) if process.pid == pid), "")


def group_runs(group: int) -> bool:
    """Whether any process of the group runs. A process that has ended and was not reaped yet does not count."""
    return any(process.group == group for process in _list())


def _list(pid: int | None = None) -> Iterator[Process]:
    if not (_PROC / "self" / "stat").exists():
        yield from _from_ps()
        return
    for file in [_PROC / str(pid) / "stat"] if pid else _PROC.glob("[0-9]*/stat"):
        try:
            number, _, rest = file.read_text().partition(" (")
        except OSError:
            continue
        fields = rest.rpartition(") ")[2].split()
        if not (
            fields[0] in "ZX" and int(fields[17]) <= 1
        ):  # a dying process holds its ports until its last thread ends
            yield Process(int(number), int(fields[2]), fields[19])


def _from_ps() -> Iterator[Process]:
    """For systems without /proc."""
    asked = ["ps", "-A", "-o", "pid=,pgid=,stat=,lstart="]
    for line in subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines():
        pid, group, state, since = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield Process(int(pid), int(group), since.strip())
