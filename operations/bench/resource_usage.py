"""Processes in, their CPU seconds and peak memory out, read from /proc (Linux)."""

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from agents.settings import Settings
from stack.installation import Installation

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds; a process's time is counted in them."""


@dataclass(slots=True)
class Meter:
    """CPU seconds and peak memory of processes, by role. A worker is one process, a server too."""

    processes: dict[str, int]
    begin: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.begin = {role: cpu_seconds(pid) for role, pid in self.processes.items()}

    def seconds(self) -> dict[str, float]:
        """Since the meter was made, or since a process that was added later began."""
        return {role: cpu_seconds(pid) - self.begin.get(role, 0.0) for role, pid in self.processes.items()}

    def peaks(self) -> dict[str, int]:
        """The most memory that each process has had."""
        return {role: peak_mb(pid) for role, pid in self.processes.items()}


def servers(settings: Settings) -> dict[str, int]:
    """Process ids of the embedded servers, when they are ours; servers elsewhere are not measured."""
    here = Installation.of(settings.data_dir, settings.kafka, settings.elasticsearch)
    names = {"kafka": "broker", "elasticsearch": "elasticsearch"}
    pids = {names[server.name]: server.daemon.pid() for server in here.servers()}
    return {name: pid for name, pid in pids.items() if pid is not None}


def per_million(seconds: dict[str, float], number: int) -> dict[str, float]:
    """CPU seconds that a million would take."""
    return {role: round(value * 1e6 / number, 2) for role, value in seconds.items()}


def peak_mb(pid: int) -> int:
    """The most memory that a process has had; 0 when it has ended."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return 0


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and its children: Elasticsearch's launcher has the server as its child."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return (int(fields[11]) + int(fields[12])) * TICK + sum(cpu_seconds(child) for child in children)
