"""Generates the demonstration corpus: an hour of a fleet as raw syslog lines, and the exact counts of what it holds.

The hour holds ordinary work (stack.demo.day, stack.demo.services) and five attacks (stack.demo.attacks). Equal
arguments give equal bytes. What counts as an attempt to log in, and is therefore in `Truth`:

- sshd: a line `Failed METHOD for ...` is one failure, whatever Invalid-user and PAM lines stand around it, which count
  nothing; `Failed publickey`, one key of several, counts nothing. `Accepted METHOD for ...` is one success; `message
  repeated N times: [ Failed ...]` is N failures.
- sudo: a line with `COMMAND=` is one success unless it says why the command was refused: `N incorrect password
  attempts` is N failures, `user NOT in sudoers` one.
- ldap: a bind's `RESULT tag=97` is a failure when `err` is not 0, a success when it is 0 and the bind ended with a DN.
  Anonymous binds (an empty DN) are no attempts, and error 14 (SASL bind in progress) is no outcome.
- web: a 401 to a POST, or to a request with a user's name, is one failure. There is no success: a request with a user's
  name repeats with every page, and what a POST to a login form meant is not guessed.

stack.demo.dialects lists the formats of the headers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from stack.demo.attacks import ATTACKS
from stack.demo.day import local
from stack.demo.dialects import render
from stack.demo.scene import HOUR, Activity, Attempt, Host, Line, Outcome, Scene, Service, scene
from stack.demo.services import directory, web


@dataclass(slots=True)
class Source:
    """What one address did."""

    failures: int = 0
    successes: int = 0
    users: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Truth:
    """The exact expected counts: `attempts` by service and outcome, `sources` by address; sudo has no address."""

    lines: int = 0
    attempts: Counter[tuple[Service, Outcome]] = field(default_factory=Counter)
    sources: dict[str, Source] = field(default_factory=dict)

    def add(self, host: Host, attempt: Attempt) -> None:
        self.attempts[attempt.service, attempt.outcome] += attempt.count
        if attempt.source is None:
            return
        source = self.sources.setdefault(attempt.source, Source())
        if attempt.outcome == "failure":
            source.failures += attempt.count
        else:
            source.successes += attempt.count
        source.users.add(attempt.user)
        source.hosts.add(host.name)


def generate(seed: int, end: datetime, hosts: int = 50) -> Iterator[tuple[float, bytes, bytes]]:
    """The hour that ends at `end`, in time order: seconds since its start, the host's name, the line without newline.

    Raises ValueError when `end` has no time zone or `hosts` is below ten. Takes about two seconds for fifty hosts.
    """
    for host, line in _lines(scene(seed, end, hosts)):
        yield line.at, host.name.encode(), render(host, line)


def truth(seed: int, end: datetime, hosts: int = 50) -> Truth:
    """What a count of the corpus with the same arguments must give."""
    result = Truth()
    for host, line in _lines(scene(seed, end, hosts)):
        result.lines += 1
        if line.attempt is not None:
            result.add(host, line.attempt)
    return result


def _lines(scene: Scene) -> list[tuple[Host, Line]]:
    """Every line of the hour, in time order. Lines after its end are left out."""
    activities = sorted(_activities(scene), key=lambda activity: activity.at)
    lines = [
        (activity.host, line) for activity in activities for line in activity.lines(scene.random) if 0 <= line.at < HOUR
    ]
    lines.sort(key=lambda pair: pair[1].at)
    return lines


def _activities(scene: Scene) -> Iterator[Activity]:
    yield from local(scene)
    yield from directory(scene)
    yield from web(scene)
    for attack in ATTACKS:
        yield from attack.activities(scene)
