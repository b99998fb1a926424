"""Defines the hosts and people of the demonstration corpus, and what its generators are made of.

Times are seconds since the start of the hour, unless they are datetimes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Literal, Protocol

HOUR = 3600.0
LEAST_HOSTS = 10

# Syslog priorities: facility * 8 + severity (RFC 5424, section 6.2.1).
KERN_WARNING, DAEMON_INFO, AUTH_INFO, AUTH_ERROR = 4, 30, 38, 35
CRON_INFO, AUTHPRIV_NOTICE, AUTHPRIV_INFO, AUTHPRIV_ALERT = 78, 85, 86, 81
LOCAL4_DEBUG, LOCAL7_INFO = 167, 190

Service = Literal["sshd", "ldap", "sudo", "web"]
Outcome = Literal["failure", "success"]
Dialect = Literal["rfc3164", "rfc5424", "syslog-ng", "iso-file", "iso-forward"]

ROLES = ("bastion", "web", "ldap", "app", "web", "db", "mail", "app", "db", "ci")
DIALECTS: tuple[Dialect, ...] = ("rfc3164", "rfc5424", "rfc3164", "iso-file", "rfc3164", "iso-forward", "syslog-ng")
ZONES = (UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-5)))

_PEOPLE = (
    "aalto abebe alvarez baker bauer bianchi bjork blanc brandt campos castro cohen conti costa cruz danso "
    "dekker diaz dubois duran egan eriksen farah fischer fontaine garcia giraud gomez haas hansen hayes "
    "herrera holm horvath ibrahim ivanova jansen jensen joshi kaur keller khan kim kovacs kowalski kumar "
    "larsen laurent leclerc lehmann li lindgren lopez maier mancini marino martin mbeki medina mendes meyer "
    "molina moreau mori mueller murphy nagy nair navarro nguyen novak obrien okafor olsen ortega osei park "
    "patel pereira petrov popescu price quinn ramos rao reyes ricci rossi roux ruiz saito sanders santos sato "
    "schmid silva singh smit sorensen stein suzuki tanaka torres turner vargas varga vidal vogel wagner wang "
    "weber wolff wong yamada yilmaz young zhang ziegler "
)
PEOPLE = tuple(_PEOPLE.split())


@dataclass(frozen=True, slots=True)
class Attempt:
    """The attempts that a line reports: `count` of them with one outcome, from the address `source` if it names one."""

    service: Service
    outcome: Outcome
    user: str
    source: str | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a process writes `at` seconds after the start of the hour, without a syslog header."""

    at: float
    program: str
    pid: int | None
    priority: int
    text: str
    attempt: Attempt | None = None


@dataclass(slots=True)
class Host:
    """A host of the fleet. It counts process ids, connections and sessions, so that their numbers rise with time."""

    number: int
    name: str
    role: str
    address: str
    dialect: Dialect
    start: datetime
    processes: int = 900
    connections: int = 1000
    sessions: int = 10
    relayed: int = 0

    @property
    def sshd(self) -> str:
        """The name of the program that logs a connection: since OpenSSH 9.8 that is sshd-session."""
        return "sshd-session" if self.number % 4 == 3 else "sshd"

    @property
    def verbose(self) -> bool:
        """Whether sshd logs at level VERBOSE, which adds a line for each new connection."""
        return self.number % 3 != 1

    @property
    def folds(self) -> bool:
        """Whether the local rsyslog folds equal lines into "message repeated N times"."""
        return self.dialect in ("rfc3164", "iso-forward")

    @property
    def modern(self) -> bool:
        """Whether PAM and slapd are recent ones, which write more fields."""
        return self.number % 5 != 4

    def time(self, at: float) -> datetime:
        """The time on the clock of the host, `at` seconds after the start of the hour."""
        return self.start + timedelta(seconds=at)

    def pid(self, random: Random) -> int:
        self.processes += random.randint(1, 9)
        return self.processes

    def connection(self) -> int:
        self.connections += 1
        return self.connections

    def session(self) -> int:
        self.sessions += 1
        return self.sessions


class Activity(Protocol):
    """Something that happens on one host, beginning at second `at`."""

    @property
    def at(self) -> float: ...

    @property
    def host(self) -> Host: ...

    def lines(self, random: Random) -> Iterator[Line]:
        """Yield its lines in time order. Called one time for each, in the order in which they begin."""
        ...


@dataclass(slots=True)
class LogWriter:
    """A process that writes lines, each some time after the previous one."""

    random: Random
    at: float
    program: str
    pid: int | None
    priority: int

    def write(self, text: str, attempt: Attempt | None = None, after: float = 0.0, priority: int | None = None) -> Line:
        """Make the next line, `after` seconds and some milliseconds after the previous one."""
        self.at += after + self.random.uniform(0.001, 0.02)
        return Line(self.at, self.program, self.pid, priority or self.priority, text, attempt)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account on every host."""

    name: str
    uid: int
    address: str

    @property
    def dn(self) -> str:
        return f"uid={self.name},ou=People,dc=example,dc=net"


@dataclass(frozen=True, slots=True)
class Scene:
    """The start of the hour, the hosts and people, and the source of randomness."""

    start: datetime
    hosts: tuple[Host, ...]
    people: tuple[Person, ...]
    random: Random

    def of(self, *roles: str) -> list[Host]:
        return [host for host in self.hosts if host.role in roles]

    def host(self, *roles: str) -> Host:
        return self.random.choice(self.of(*roles) if roles else self.hosts)

    def person(self) -> Person:
        """A random person; the first ones of the list come most often."""
        return self.people[int(len(self.people) * self.random.random() ** 2)]

    def moments(self, count: float) -> list[float]:
        """Random times in the hour: `count` of them for fifty hosts, in proportion for other fleets."""
        return [self.random.uniform(0, HOUR) for _ in range(round(count * len(self.hosts) / 50))]


def scene(seed: int, end: datetime, hosts: int) -> Scene:
    """Make the scene of the hour that ends at `end`. The fleet is the same for every seed. Raises ValueError."""
    if end.tzinfo is None:
        raise ValueError("the corpus needs the end of its hour with a time zone")
    if hosts < LEAST_HOSTS:
        raise ValueError(f"the corpus needs at least {LEAST_HOSTS} hosts to play every role, not {hosts}")
    start = end - timedelta(seconds=HOUR)
    fleet = tuple(_host(number, start) for number in range(hosts))
    people = tuple(Person(name, 1001 + i, f"10.50.{i // 50}.{10 + i % 50}") for i, name in enumerate(PEOPLE))
    return Scene(start, fleet, people, Random(seed))


def _host(number: int, start: datetime) -> Host:
    turn, place = divmod(number, len(ROLES))
    role, dialect = ROLES[place], DIALECTS[number % len(DIALECTS)]
    nth = turn * ROLES.count(role) + ROLES[:place].count(role) + 1
    name = f"{role}-{nth:02d}" + (".example.net" if dialect in ("rfc5424", "syslog-ng") else "")
    # RFC 3164 has no time zone, so these hosts use UTC; the others have various offsets.
    zone = ZONES[0] if dialect == "rfc3164" else ZONES[number % len(ZONES)]
    return Host(number, name, role, f"10.20.{number // 200}.{10 + number % 200}", dialect, start.astimezone(zone))
