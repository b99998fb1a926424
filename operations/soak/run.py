"""Runs load and faults for some minutes, and compares everything that can be compared.

A run can be repeated with its seed: it decides which lines are sent and which faults happen.
"""

import threading
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from operations.soak.checks import Check, settle, verdict
from operations.soak.expected import recount
from operations.soak.fleet import ROLES, Fleet
from operations.soak.load import Load
from operations.soak.outage import away
from operations.soak.schedule import SERVERS, WORKERS, Lane
from operations.soak.site import site
from operations.soak.truncation import cut as cut_logs

_LOOK = 0.25  # seconds between two looks at the progress


class Soak:
    """One run. Faults and progress are told to `console`. Raises `StackError` when a server does not start."""

    def __init__(self, minutes: float, seed: int, rate: int, absence: float, cut: bool, console: Console) -> None:
        self._minutes, self._seed, self._rate, self._absence = minutes, seed, rate, absence
        self._cut, self._console = cut, console
        self._begin = time.monotonic()

    def run(self, keep: Path | None) -> dict[str, Any]:
        """Run everything and return the verdict as JSON values. Servers and workers are ended, however it ends."""
        length = f"{self._absence:g} s without Elasticsearch" if self._absence else f"{self._minutes:g} minutes"
        self._tell(f"seed {self._seed}, {length}, {self._rate:,} lines a second")
        with site(keep) as made, Fleet(made) as fleet:
            self._tell("servers are up")
            for role in ROLES:
                fleet.join(role)
            load = Load(made, self._seed, self._rate)
            load.start()
            missed = away(fleet, load, self._absence, self._tell) if self._absence else None
            faults = Counter[str]() if missed else self._break(fleet, load)
            load.finish()
            self._tell(f"{load.sent:,} lines sent; counting them again")
            truth = recount(made.settings)
            with self._console.status("waiting") as status:
                settle(made, truth, status.update)
            checks = verdict(made, fleet, load, truth)
            if self._cut:
                checks += cut_logs(made, fleet, self._tell)
            found = self._found(load, faults, fleet, checks)
            return found | {"away": asdict(missed)} if missed else found

    def _break(self, fleet: Fleet, load: Load) -> Counter[str]:
        """Do faults for the time of the run, and undo the last ones."""
        stop = threading.Event()
        lanes = [
            Lane(name, kinds, fleet, self._seed, stop, self._tell)
            for name, kinds in (("workers", WORKERS), ("servers", SERVERS))
        ]
        for lane in lanes:
            lane.start()
        try:
            self._watch(load, lanes)
        finally:
            stop.set()
            for lane in lanes:
                lane.join()
        for lane in lanes:
            if lane.error is not None:
                raise lane.error
        return lanes[0].done + lanes[1].done

    def _watch(self, load: Load, lanes: list[Lane]) -> None:
        until = time.monotonic() + self._minutes * 60
        with self._console.status("") as status:
            while time.monotonic() < until and load.error is None and all(lane.error is None for lane in lanes):
                left = until - time.monotonic()
                status.update(f"{load.sent:,} lines, {load.delivered:,} taken, {left:.0f} s left")
                time.sleep(_LOOK)

    def _tell(self, text: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._begin:7.1f} s[/]  {text}", soft_wrap=True)

    def _found(self, load: Load, faults: Counter[str], fleet: Fleet, checks: list[Check]) -> dict[str, Any]:
        return {
            "seed": self._seed,
            "minutes": self._minutes,
            "rate": self._rate,
            "lines": load.sent,
            "exact": all(check.kept for check in checks),
            "checks": [asdict(check) for check in checks],
            "faults": dict(sorted(faults.items())),
            "ends": fleet.ends,
            "peak_mb": fleet.peaks,
        }
