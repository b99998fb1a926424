"""Reads CPU seconds and peak memory of processes from /proc (Linux)."""

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from agents.settings import Settings
from stack.installation import Installation

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""The unit, in seconds, in which the kernel counts the CPU time of a process."""


@dataclass(slots=True)
class Meter:
    """Measures CPU seconds and peak memory by role or server, each of which is one process."""

    processes: dict[str, int]
    begin: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.begin = {role: cpu_seconds(pid) for role, pid in self.processes.items()}

    def seconds(self) -> dict[str, float]:
        """CPU seconds since the meter was made, or since the start of a process that was added later."""
        return {role: cpu_seconds(pid) - self.begin.get(role, 0.0) for role, pid in self.processes.items()}

    def peaks(self) -> dict[str, int]:
        """The peak memory of each process, in MB."""
        return {role: peak_mb(pid) for role, pid in self.processes.items()}


def servers(settings: Settings) -> dict[str, int]:
    """Process ids of the embedded servers that run here; servers elsewhere are not measured."""
    here = Installation.of(settings.data_dir, settings.kafka, settings.elasticsearch)
    names = {"kafka": "broker", "elasticsearch": "elasticsearch"}
    pids = {names[server.name]: server.daemon.pid() for server in here.servers()}
    return {name: pid for name, pid in pids.items() if pid is not None}


def per_million(seconds: dict[str, float], number: int) -> dict[str, float]:
    """Convert CPU seconds for `number` events to CPU seconds for a million."""
    return {role: round(value * 1e6 / number, 2) for role, value in seconds.items()}


def peak_mb(pid: int) -> int:
    """The peak memory of a process in MB; 0 when it has ended."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return 0


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and its children, because Elasticsearch's server is a child of its launcher."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return (int(fields[11]) + int(fields[12])) * TICK + sum(cpu_seconds(child) for child in children)
