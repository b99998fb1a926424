"""What count workers say over HTTP in (JSON, `docs/queries.md`), typed values out.

Every reader raises KeyError, TypeError, ValueError, AttributeError or OverflowError for what is not as agreed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from agents.counting.break_in import broke_in

T = TypeVar("T")
Body = dict[str, Any]
Reader = Callable[[Body], T]

MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One worker's answer: about the partitions it owns and has recovered, of `of` that there are."""

    worker: str
    partitions: frozenset[int]
    of: int
    content: T


@dataclass(frozen=True, slots=True)
class Attempts:
    """Success, failure and unknown by name; `truncated` when only the names with most attempts are among them."""

    rows: dict[str, tuple[int, int, int]]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Attacker:
    """An address that failed at least once. Times are epoch seconds; minutes are (minute, successes, failures)."""

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
    minutes: tuple[tuple[int, int, int], ...] = ()

    @property
    def broke_in(self) -> bool:
        """Whether it looks like somebody who guessed: people mistype, but then they get in more often than not."""
        return broke_in(self.failures, self.successes)


@dataclass(frozen=True, slots=True)
class Attackers:
    """Addresses that failed, those that broke in first; `total` and `broke_in_total` count those left out, too."""

    rows: list[Attacker]
    total: int
    broke_in_total: int


@dataclass(frozen=True, slots=True)
class PartitionState:
    """How far a partition has been counted. `newest` is the latest event's time, None before the first."""

    offset: int
    total: int
    late: int
    recovered: bool
    newest: float | None


State = dict[int, PartitionState]


def read(worker: str, body: Body, content: Reader[T]) -> Answer[T]:
    """An answer to anything but the owners."""
    return Answer(worker, frozenset(_partitions(body["partitions"])), _of(body), content(body))


def _of(body: Body) -> int:
    """How many partitions there are; a worker that does not know that yet is no help."""
    if (number := int(body["of"])) < 1:
        raise ValueError(f"of {number} partitions")
    return number


def _partitions(said: object) -> list[int]:
    if isinstance(said, dict):  # of /v1/state, which speaks of those that are being recovered, too
        return [int(number) for number, state in said.items() if state["recovered"]]
    if isinstance(said, list):
        return [int(number) for number in said]
    raise TypeError("partitions are neither a list nor an object")


def owners(body: Body) -> tuple[int, list[str]]:
    """How many partitions there are, and the URLs of the workers."""
    return _of(body), [str(url).rstrip("/") for url in body["workers"]]


def attempts(body: Body) -> Attempts:
    """Attempts by name."""
    rows = {
        str(name): (int(row["success"]), int(row["failure"]), int(row["unknown"])) for name, row in body["rows"].items()
    }
    return Attempts(rows, bool(body["truncated"]))


def attackers(body: Body) -> Attackers:
    """Addresses that failed. Workers of the version before say no totals: then those that they list are all."""
    rows = [_attacker(row) for row in body["attackers"]]
    listed = sum(row.broke_in for row in rows)
    return Attackers(rows, int(body.get("total", len(rows))), int(body.get("broke_in_total", listed)))


def attacker(body: Body) -> Attacker | None:
    """One address with its minutes; None when the worker knows nothing of it."""
    row = body["attacker"]
    return None if row is None else _attacker(row)


def state(body: Body) -> State:
    """How far each partition is."""
    return {int(number): _state(said) for number, said in body["partitions"].items()}


def _state(said: Body) -> PartitionState:
    newest = float(said.get("newest") or 0)
    return PartitionState(
        int(said["offset"]),
        int(said["total"]),
        int(said["late"]),
        bool(said["recovered"]),
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
        minutes=tuple((int(at), int(good), int(bad)) for at, good, bad in row.get("minutes", ())),
    )
