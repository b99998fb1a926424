"""Shows a ledger as tables for people or as JSON for programs."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from operations.dead_letters.render import clock
from operations.ledger.attempts import Attempts
from operations.ledger.balance import Ledger
from operations.ledger.counts import Raw, Typed

_SHOWN = 100  # the most missing records that JSON names for each partition


def as_json(seen: Ledger) -> dict[str, Any]:
    """Return the ledger as JSON values."""
    return {
        "balanced": not seen.wrongs,
        "exact": seen.exact,
        "since": clock(seen.facts.since),
        "received": seen.received,
        "stored": seen.stored,
        "dead_lettered": seen.dead,
        "missing": seen.missing,
        "under_way": seen.in_flight,
        "wrongs": seen.wrongs,
        "attempts": _attempts(seen.attempts),
        "raw": [_raw_row(row, seen.exact) for row in seen.facts.raw.values()],
        "replay": [_raw_row(row, False) for row in seen.facts.replay.values()],
        "typed": [_typed_row(row, seen.exact) for row in seen.facts.typed.values()],
    }


def shown(seen: Ledger) -> RenderableType:
    """Return tables for a terminal. Partitions that never held a record are left out."""
    return Group(_raw(seen), _typed(seen), Text(verdict(seen), style="green" if not seen.wrongs else "bold red"))


def verdict(seen: Ledger) -> str:
    """The last lines, which say whether everything is balanced."""
    sums = f"{seen.received:,} received = {seen.stored:,} stored + {seen.dead:,} dead letters"
    rest = f" + {seen.absent:,} others" if seen.absent else ""
    counted = _counted(seen.attempts)
    if seen.wrongs:
        return "\n".join([*seen.wrongs, f"Not balanced since {clock(seen.facts.since)}: {sums}{rest}."]) + counted
    rest = f" + {seen.absent:,} under way" if seen.absent else ""
    return (
        f"Balanced since {clock(seen.facts.since)}{', record by record' if seen.exact else ''}: {sums}{rest}.{counted}"
    )


def _attempts(found: Attempts | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "since": clock(found.since * 1000),
        "until": clock(found.until * 1000),
        "documents": found.documents.total(),
        "windows": found.windows.total(),
        "live": None if found.live is None else found.live.total(),
        "differing": len(found.differing()),
        "settled": found.settled,
        "contradictory": found.contradictory,
    }


def _counted(found: Attempts | None) -> str:
    """A line about attempts; none when attempts are not counted."""
    if found is None:
        return ""
    live = "no count worker answers" if found.live is None else f"{found.live.total():,} as count workers answer"
    more = "" if found.settled else "; some are on their way"
    sums = f"{found.documents.total():,} in documents, {found.windows.total():,} in closed minutes"
    return f"\nAttempts: {sums}, {live}{more}."


def _raw_row(row: Raw, exact: bool) -> dict[str, Any]:
    found = {**asdict(row), "lag": row.lag, "missing": len(row.missing), "missing_offsets": row.missing[:_SHOWN]}
    return found if exact else _without(found, "missing", "missing_offsets", "produced")


def _typed_row(row: Typed, exact: bool) -> dict[str, Any]:
    more = {
        "lag": row.lag,
        "count_lag": row.count_lag,
        "judge_lag": row.judge_lag,
        "missing": len(row.missing),
        "doubled": len(row.doubled),
    }
    found = {**asdict(row), **more, "missing_ids": row.missing[:_SHOWN], "doubled_ids": row.doubled[:_SHOWN]}
    scanned = "missing", "missing_ids", "doubled", "doubled_ids", "events", "repeated", "stored"
    return found if exact else _without(found, *scanned)


def _without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def _raw(seen: Ledger) -> Table:
    table = _table("Raw", "begin", "end", "normalize", "lag", "letters", *(("events", "missing") if seen.exact else ()))
    for row in (*seen.facts.raw.values(), *seen.facts.replay.values()):
        if row.end:
            cells: list[int | None] = [row.begin, row.end, row.consumed, row.lag, row.letters]
            _add(table, row, [*cells, row.produced, len(row.missing)] if seen.exact else cells)
    return table


def _typed(seen: Ledger) -> Table:
    scanned = ("events", "repeated", "stored", "doubled", "missing") if seen.exact else ()
    table = _table("Typed", "begin", "end", "index", "lag", "count", "lag", "detect", "lag", "letters", *scanned)
    for row in seen.facts.typed.values():
        if row.end:
            cells = [row.begin, row.end, row.indexed, row.lag, row.counted, row.count_lag]
            cells += [row.judged, row.judge_lag, row.letters]
            found = [row.events, row.repeated, row.stored, len(row.doubled), len(row.missing)]
            _add(table, row, [*cells, *found] if seen.exact else cells)
    return table


def _table(first: str, *names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(first, no_wrap=True)
    for name in names:
        table.add_column(name, justify="right")
    return table


def _add(table: Table, row: Raw | Typed, cells: list[int | None]) -> None:
    texts = ("-" if cell is None or cell < 0 else f"{cell:,}" for cell in cells)
    table.add_row(f"{row.topic}-{row.partition}", *texts)
