"""Seconds in: Elasticsearch is killed and stays away for so long under load. What that does to the workers out."""

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

_WARM = 10.0  # seconds of load before
_LOOK = 1.0  # seconds between looks
_LONGEST = 900.0  # seconds to catch up in


@dataclass(slots=True)
class Figures:
    """What an absence of `seconds`, start included, came to. `backlog` are records that index had still to store at
    its end, `log_lines` what workers printed meanwhile, `left` members that groups had lost when all was caught up.
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
    """Let Elasticsearch be away, end the load when it is back, and wait until all is stored.

    Raises `TimeoutError` when it does not catch up, and what the load raised.
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
    """Of all groups. One that was put out of its group comes back under another name."""
    admin = AdminClient(client_conf(site.settings.kafka))
    groups = [group_of(role, site.settings.prefix) for role in ROLES]
    for future in admin.describe_consumer_groups(groups).values():
        yield from (member.member_id for member in future.result().members)


def _lines(fleet: Fleet) -> dict[str, int]:
    return {role: len(fleet.first(role).log.read_bytes().splitlines()) for role in ROLES}
