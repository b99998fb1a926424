"""Kills Elasticsearch under load, keeps it away for some seconds, and measures what that does to the workers."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

from confluent_kafka.admin import AdminClient

from operations.soak.fleet import ROLES, Fleet
from operations.soak.load import Load
from operations.soak.site import Site, wait_ready
from operations.soak.state import State
from topics.catalogue import group_of
from topics.kafka.client import client_conf

_WARM = 10.0  # seconds of load before the outage
_LOOK = 1.0  # seconds between looks
_LONGEST = 900.0  # seconds after which catching up is given up


@dataclass(slots=True)
class Figures:
    """Figures of an outage of `seconds`, the start of the server included.

    `backlog` is the number of records that index had to store at its end, `log_lines` the number of lines that workers
    printed meanwhile, `left` the members that groups had lost when everything was stored.
    """

    seconds: float
    backlog: int = 0
    caught_up_seconds: float = 0.0
    peak_mb: dict[str, int] = field(default_factory=dict)
    log_lines: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items())


def away(fleet: Fleet, load: Load, seconds: float, tell: Callable[[str], None]) -> Figures:
    """Take Elasticsearch away, end the load when it is back, and wait until everything is stored.

    Raises `TimeoutError` when index does not catch up, and the error that ended the load.
    """
    site, state = fleet.site, State(fleet.site)
    _pass(load, _WARM)
    before, said = set(_members(site)), _lines(fleet)
    tell(f"kill elasticsearch for {seconds:g} s; peaks {fleet.peaks} MB")
    begin = time.monotonic()
    site.elasticsearch.kill()
    _pass(load, seconds)
    site.elasticsearch.start()
    wait_ready(site.elasticsearch)
    load.finish()
    found = Figures(round(time.monotonic() - begin, 1), state.uncommitted()["index"])
    found.log_lines = {role: number - said[role] for role, number in _lines(fleet).items()}
    tell(f"elasticsearch is back; {found.backlog:,} records to store; peaks {fleet.peaks} MB")
    found.caught_up_seconds = _catch_up(state)
    found.left = sorted(before - set(_members(site)))
    found.peak_mb = dict(fleet.peaks)
    tell(f"caught up: {found}")
    return found


def _pass(load: Load, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(min(_LOOK, seconds))
        if load.error is not None:
            raise load.error


def _catch_up(state: State) -> float:
    begin = time.monotonic()
    while state.uncommitted().total():
        if time.monotonic() - begin > _LONGEST:
            raise TimeoutError(f"not caught up after {_LONGEST:.0f} s")
        time.sleep(_LOOK)
    return round(time.monotonic() - begin, 1)


def _members(site: Site) -> Iterator[str]:
    """The members of all groups. A member that was removed from its group comes back under another name."""
    admin = AdminClient(client_conf(site.settings.kafka))
    groups = [group_of(role, site.settings.prefix) for role in ROLES]
    for future in admin.describe_consumer_groups(groups).values():
        yield from (member.member_id for member in future.result().members)


def _lines(fleet: Fleet) -> dict[str, int]:
    return {role: len(fleet.first(role).log.read_bytes().splitlines()) for role in ROLES}
