"""Runs load and faults for some minutes, and compares everything that can be compared.

A run can be repeated with its seed: it decides which lines are sent and which faults happen.
"""

import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from operations.soak.checks import Check, settle, verdict
from operations.soak.expected import recount
from operations.soak.faults import Faults
from operations.soak.fleet import ROLES, Fleet
from operations.soak.load import Load
from operations.soak.outage import away
from operations.soak.schedule import SERVERS, WORKERS, Lane
from operations.soak.site import site
from operations.soak.truncation import cut as cut_logs

_EACH = 2  # workers of each role from the start
_LOOK = 0.25  # seconds between two looks at the progress


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of: `rate` lines a second for some minutes, and what is broken.

    `away` are seconds without Elasticsearch instead of faults; `zombies` a role of which a worker is always made to
    wake up behind its successor; with `cut`, Kafka loses the ends of logs last. With `whole` it goes on until every
    kind of fault was done.
    """

    minutes: float
    seed: int
    rate: int
    away: float = 0.0
    zombies: str = ""
    cut: bool = False
    whole: bool = False


class Soak:
    """One run. Faults and progress are told to `console`. Raises `StackError` when a server does not start."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan, self._console = plan, console
        self._begin = time.monotonic()

    def run(self, keep: Path | None) -> dict[str, Any]:
        """Run everything and return the verdict as JSON values. Servers and workers are ended, however it ends."""
        plan = self._plan
        length = f"{plan.away:g} s without Elasticsearch" if plan.away else f"{plan.minutes:g} minutes"
        self._tell(f"seed {plan.seed}, {length}, {plan.rate:,} lines a second")
        with site(keep) as made, Fleet(made) as fleet:
            self._tell("servers are up")
            fleet.start_all(_EACH)
            load = Load(made, plan.seed, plan.rate)
            load.start()
            missed = away(fleet, load, plan.away, self._tell) if plan.away else None
            faults = Counter[str]() if missed else self._break(fleet, load)
            load.finish()
            self._tell(f"{load.sent:,} lines sent; counting them again")
            truth = recount(made.settings)
            with self._console.status("waiting") as status:
                settle(made, truth, status.update)
            checks = verdict(made, fleet, load, truth)
            if plan.cut:
                checks += cut_logs(made, fleet, truth, self._tell)
            found = self._found(load, faults, fleet, checks)
            return found | {"away": asdict(missed)} if missed else found

    def _break(self, fleet: Fleet, load: Load) -> Counter[str]:
        """Do faults for the time of the run, and undo the last ones."""
        stop = threading.Event()
        kinds: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
            ("workers", WORKERS, ROLES),
            ("servers", SERVERS, ROLES),
        ]
        if self._plan.zombies:
            kinds.append(("zombies", ("zombie",), (self._plan.zombies,)))
        faults = partial(Faults, fleet, load, stop)
        lanes = [Lane(*kind, faults, self._plan.seed, stop, self._tell) for kind in kinds]
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
        return sum((lane.done for lane in lanes), Counter())

    def _watch(self, load: Load, lanes: list[Lane]) -> None:
        until = time.monotonic() + self._plan.minutes * 60
        with self._console.status("") as status:
            while load.error is None and all(lane.error is None for lane in lanes):
                if time.monotonic() > until and not (self._plan.whole and any(lane.lacks for lane in lanes)):
                    return
                left = until - time.monotonic()
                status.update(f"{load.sent:,} lines, {load.delivered:,} taken, {left:.0f} s left")
                time.sleep(_LOOK)

    def _tell(self, text: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._begin:7.1f} s[/]  {text}", soft_wrap=True)

    def _found(self, load: Load, faults: Counter[str], fleet: Fleet, checks: list[Check]) -> dict[str, Any]:
        return {
            "seed": self._plan.seed,
            "minutes": self._plan.minutes,
            "rate": self._plan.rate,
            "lines": load.sent,
            "exact": all(check.kept for check in checks),
            "checks": [asdict(check) for check in checks],
            "faults": dict(sorted(faults.items())),
            "ends": fleet.ends,
            "peak_mb": fleet.peaks,
        }
