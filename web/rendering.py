"""Turns results into the JSON objects of the API, with times in ISO 8601, UTC."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from web.answers import Attacker, PartitionState, Place, T
from web.merge import Counts
from web.windows import MINUTE, Window, iso
from web.workers import Replies

RATE = 60
"""The most minutes of `rate`."""
_NUMBERS = ("addresses", "failures", "successes", "unknown", "broke_in")


def partitions(replies: Replies[T]) -> dict[str, Any]:
    """The number of partitions, and which of them the answer does not cover."""
    return {"of": replies.of, "missing": replies.missing}


def counts(row: Counts) -> dict[str, Any]:
    """Attempts by outcome, with their sum and ratio."""
    return {"attempts": row.attempts, **asdict(row), "ratio": row.ratio}


def attacker(row: Attacker, window: Window) -> dict[str, Any]:
    """An address in a list, with its failures in each of the last minutes of the window instead of its minutes."""
    times = {
        "first_seen": iso(row.first_seen),
        "last_seen": iso(row.last_seen),
        "last_success": iso(row.last_success) if row.last_success is not None else None,
    }
    shown = asdict(row) | times | {"broke_in": row.broke_in, "rate": _rate(row, window)}
    del shown["minutes"]
    return shown


def attacker_detail(row: Attacker, window: Window) -> dict[str, Any]:
    """An address with the minutes in which it tried."""
    minutes = [{"minute": iso(at), "successes": good, "failures": bad} for at, good, bad in row.minutes]
    return attacker(row, window) | {"minutes": minutes}


def place(code: str, row: Place, centre: tuple[float, float] | None) -> dict[str, Any]:
    """A country with its centre; `country` and the centre are None where they are not known."""
    lon, lat = centre if centre is not None else (None, None)
    return {
        "country": code or None, "city": None, "lon": lon, "lat": lat, "addresses": row.addresses,
        "failures": row.failure, "successes": row.success, "unknown": row.unknown, "broke_in": row.broke_in,
    }  # fmt: skip


def no_place(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sums of rows without a country."""
    rows = list(rows)
    return {name: sum(row[name] for row in rows) for name in _NUMBERS}


def times(starts: Iterable[int]) -> list[str]:
    """Starts of steps."""
    return [iso(start) for start in starts]


def newest(states: Iterable[PartitionState]) -> str | None:
    """The time of the latest event that was counted."""
    found = [state.newest for state in states if state.newest is not None]
    return iso(max(found)) if found else None


def _rate(row: Attacker, window: Window) -> list[int]:
    """Failures in each of the last minutes of a window, oldest first; none where minutes are not known."""
    if not row.minutes:
        return []
    number = min(RATE, (window.until - window.since) // MINUTE)
    rate = [0] * number
    begin = window.until - number * MINUTE
    for at, _, bad in row.minutes:
        if 0 <= (position := (at - begin) // MINUTE) < number:
            rate[position] = bad
    return rate
