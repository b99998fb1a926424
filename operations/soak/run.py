"""Minutes and a seed in, a verdict out: whether every line is stored once and counted once, whatever breaks."""

import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from operations.soak.checks import Check, settle, verdict
from operations.soak.expected import recount
from operations.soak.fleet import ROLES, Fleet
from operations.soak.load import Load
from operations.soak.outage import away
from operations.soak.schedule import SERVERS, WORKERS, Lane
from operations.soak.site import site
from operations.soak.truncation import cut as cut_logs
from stack.errors import StackError

PANEL = "Develop"

INTERRUPTED = 130
_LOOK = 0.25  # seconds between looks at how it goes
_ERRORS = Console(stderr=True, highlight=False)


def command(
    minutes: Annotated[float, typer.Option(min=0.1, help="For how long things are broken.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Which lines and which faults; a run can be repeated with it.")] = 1,
    rate: Annotated[int, typer.Option(min=1, help="Lines a second.")] = 1_000,
    absence: Annotated[
        float, typer.Option("--away", min=0, help="Instead: Elasticsearch is away once, for so many seconds.")
    ] = 0.0,
    cut: Annotated[bool, typer.Option("--cut", help="Last, let Kafka lose the ends of logs: all must notice.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep data and logs in this folder.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Break everything under load, again and again, and check that nothing was lost, doubled or miscounted.

    Servers and workers of its own are started, and ended with it: nothing else on this machine is touched. Faults are
    told as they happen. Status 0 means that every promise was kept, 1 that one was not.

    Example: ogrewatch soak --minutes 10 --seed 7
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        found = _Soak(minutes, seed, rate, absence, cut).run(keep)
    except StackError as error:
        _ERRORS.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    _show(found, as_json)
    if not found["exact"]:
        raise typer.Exit(1)


class _Soak:
    """One run."""

    def __init__(self, minutes: float, seed: int, rate: int, absence: float, cut: bool = False) -> None:
        self._minutes, self._seed, self._rate, self._absence = minutes, seed, rate, absence
        self._cut = cut
        self._begin = time.monotonic()

    def run(self, keep: Path | None) -> dict[str, Any]:
        """Do it all; cleans up, however it ends."""
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
            with _ERRORS.status("waiting") as status:
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
        with _ERRORS.status("") as status:
            while time.monotonic() < until and load.error is None and all(lane.error is None for lane in lanes):
                left = until - time.monotonic()
                status.update(f"{load.sent:,} lines, {load.delivered:,} taken, {left:.0f} s left")
                time.sleep(_LOOK)

    def _tell(self, text: str) -> None:
        _ERRORS.print(f"[dim]{time.monotonic() - self._begin:7.1f} s[/]  {text}", soft_wrap=True)

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


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(orjson.dumps(found).decode() + "\n")
        return
    table = Table("", "Promise", "Figures")
    for check in found["checks"]:
        table.add_row("[green]kept[/]" if check["kept"] else "[red]broken[/]", check["name"], check["figures"])
    console = Console(highlight=False)
    console.print(table)
    console.print("Faults: " + ", ".join(f"{name} {number}" for name, number in found["faults"].items()))
    for end in found["ends"]:
        console.print(f"Nobody asked: {end}", markup=False)
    console.print(f"Seed {found['seed']}: " + ("[green]exact[/]" if found["exact"] else "[red]not exact[/]"))
