"""Turns results into the JSON objects of the API, with times in ISO 8601, UTC."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from web.answers import Attacker, PartitionState, T
from web.merge import Counts
from web.windows import iso
from web.workers import Replies


def partitions(replies: Replies[T]) -> dict[str, Any]:
    """The number of partitions, and which of them the answer does not cover."""
    return {"of": replies.of, "missing": replies.missing}


def counts(row: Counts) -> dict[str, Any]:
    """Attempts by outcome, with their sum and ratio."""
    return {"attempts": row.attempts, **asdict(row), "ratio": row.ratio}


def attacker(row: Attacker) -> dict[str, Any]:
    """An address in a list, without its minutes."""
    times = {"first_seen": iso(row.first_seen), "last_seen": iso(row.last_seen)}
    shown = asdict(row) | times | {"broke_in": row.broke_in}
    del shown["minutes"]
    return shown


def attacker_detail(row: Attacker) -> dict[str, Any]:
    """An address with the minutes in which it tried."""
    minutes = [{"minute": iso(at), "successes": good, "failures": bad} for at, good, bad in row.minutes]
    return attacker(row) | {"minutes": minutes}


def newest(states: Iterable[PartitionState]) -> str | None:
    """The time of the latest event that was counted."""
    times = [state.newest for state in states if state.newest is not None]
    return iso(max(times)) if times else None
