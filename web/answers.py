"""Turns the JSON that count workers answer with into typed values.

`docs/queries.md` describes the protocol. Readers raise one of MALFORMED for an answer that does not follow it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from agents.counting.break_in import broke_in

T = TypeVar("T")
Body = dict[str, Any]
Reader = Callable[[Body], T]

MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What a reader raises for an answer that does not follow the protocol."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The answer of one worker about the `partitions` that it owns and has recovered; there are `of` in all."""

    worker: str
    partitions: frozenset[int]
    of: int
    content: T


@dataclass(frozen=True, slots=True)
class Attempts:
    """Successes, failures and unknown outcomes by name; when `truncated`, names with few attempts are left out."""

    rows: dict[str, tuple[int, int, int]]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Attacker:
    """An address that failed at least once. Times are epoch seconds; minutes are (minute, successes, failures), in a
    list those of the last hour. `services` has its failures by service."""

    address: str
    country: str
    failures: int
    successes: int
    users: tuple[str, ...]
    user_count: int
    users_more: bool
    hosts: tuple[str, ...]
    host_count: int
    hosts_more: bool
    first_seen: float
    last_seen: float
    last_success: float | None = None
    services: dict[str, int] = field(default_factory=dict)
    minutes: tuple[tuple[int, int, int], ...] = ()

    @property
    def broke_in(self) -> bool:
        """Whether this address looks like somebody who guessed a password and got in."""
        return broke_in(self.failures, self.successes)


@dataclass(frozen=True, slots=True)
class Attackers:
    """Addresses that failed, in the order of their rank; the totals also count addresses that are not in `rows`."""

    rows: list[Attacker]
    total: int
    broke_in_total: int


@dataclass(frozen=True, slots=True)
class Place:
    """Attempts of the addresses of one country; how many addresses failed, and how many broke in."""

    success: int
    failure: int
    unknown: int
    addresses: int
    broke_in: int


Series = dict[str, dict[int, tuple[int, int, int]]]
"""Successes, failures and unknown outcomes by service and minute."""


@dataclass(frozen=True, slots=True)
class PartitionState:
    """How far a partition has been counted. `newest` is the time of its latest event, None before the first one."""

    offset: int
    total: int
    late: int
    recovered: bool
    newest: float | None


State = dict[int, PartitionState]


def read(worker: str, body: Body, content: Reader[T]) -> Answer[T]:
    """Read the envelope of any answer but that about owners, and its content with the reader `content`."""
    return Answer(worker, frozenset(_partitions(body["partitions"])), _of(body), content(body))


def _of(body: Body) -> int:
    """The number of partitions. A worker that does not know it yet cannot be used, so it counts as malformed."""
    if (number := int(body["of"])) < 1:
        raise ValueError(f"of {number} partitions")
    return number


def _partitions(listed: object) -> list[int]:
    if isinstance(listed, dict):  # /v1/state also lists partitions that are still being recovered
        return [int(number) for number, state in listed.items() if state["recovered"]]
    if isinstance(listed, list):
        return [int(number) for number in listed]
    raise TypeError("partitions are neither a list nor an object")


def owners(body: Body) -> tuple[int, list[str]]:
    """The number of partitions, and the URLs of the workers that own them."""
    return _of(body), [str(url).rstrip("/") for url in body["workers"]]


def attempts(body: Body) -> Attempts:
    """Read the counts of /v1/attempts."""
    rows = {
        str(name): (int(row["success"]), int(row["failure"]), int(row["unknown"])) for name, row in body["rows"].items()
    }
    return Attempts(rows, bool(body["truncated"]))


def attackers(body: Body) -> Attackers:
    """Read the rows of /v1/attackers. Workers of earlier versions send no totals: then the rows are taken for all."""
    rows = [_attacker(row) for row in body["attackers"]]
    listed = sum(row.broke_in for row in rows)
    return Attackers(rows, int(body.get("total", len(rows))), int(body.get("broke_in_total", listed)))


def attacker(body: Body) -> Attacker | None:
    """Read one address with its minutes; None when the worker has not counted it."""
    row = body["attacker"]
    return None if row is None else _attacker(row)


def series(body: Body) -> Series:
    """Read the minutes of /v1/series."""
    return {
        str(name): {int(at): (int(good), int(bad), int(unknown)) for at, good, bad, unknown in rows}
        for name, rows in body["rows"].items()
    }


def countries(body: Body) -> dict[str, Place]:
    """Read the rows of /v1/countries; "" is where the country is unknown."""
    names = ("success", "failure", "unknown", "addresses", "broke_in")
    return {str(code): Place(*(int(row[name]) for name in names)) for code, row in body["rows"].items()}


def state(body: Body) -> State:
    """Read how far each partition has been counted."""
    return {int(number): _state(fields) for number, fields in body["partitions"].items()}


def _state(fields: Body) -> PartitionState:
    newest = float(fields.get("newest") or 0)
    return PartitionState(
        int(fields["offset"]),
        int(fields["total"]),
        int(fields["late"]),
        bool(fields["recovered"]),
        newest if newest > 0 else None,
    )


def _attacker(row: Body) -> Attacker:
    return Attacker(
        address=str(row["address"]),
        country=str(row["country"] or ""),
        failures=int(row["failures"]),
        successes=int(row["successes"]),
        users=tuple(map(str, row["users"])),
        user_count=int(row["user_count"]),
        users_more=bool(row["users_more"]),
        hosts=tuple(map(str, row["hosts"])),
        host_count=int(row["host_count"]),
        hosts_more=bool(row["hosts_more"]),
        first_seen=float(row["first_seen"]),
        last_seen=float(row["last_seen"]),
        last_success=float(row.get("last_success") or 0) or None,
        services={str(name): int(number) for name, number in row.get("services", {}).items()},
        minutes=tuple((int(at), int(good), int(bad)) for at, good, bad in row.get("minutes", ())),
    )
