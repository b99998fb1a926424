"""Lines that are read again become what they became at first, wherever the worker died and whatever it had written.

In memory, with the real parsers, correlation state and changelog. A worker parses batches; any beginning of what it
sent may have become durable, and any end of a batch below that may have been committed. Whoever goes on there must make
the same events: bytes, keys and topics, offset by offset.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.pipeline import Pipeline
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.correlation import BatchState
from agents.state.correlation_store import CorrelationStore

_PEOPLE = "ou=people,dc=example,dc=com"
_TEMPLATES = {
    "slapd[9]": (
        "conn={n} fd=12 ACCEPT from IP=192.0.2.{m}:4711 (IP=0.0.0.0:389)",
        'conn={n} op={n} BIND dn="uid=u{m},' + _PEOPLE + '" method=128',
        "conn={n} op={n} RESULT tag=97 err=0 text=",
        "conn={n} op={m} RESULT tag=97 err=49 text=",
        'conn={n} op=4 SRCH base="dc=example" scope=2 deref=0 filter="(uid=x)"',
        "conn={n} fd=12 closed",
    ),
    "ns-slapd[3]": (
        "conn={n} fd=64 slot=64 connection from 192.0.2.{m} to 198.51.100.1",
        'conn={n} op={n} BIND dn="uid=u{m},' + _PEOPLE + '" method=128 version=3',
        "conn={n} op={n} RESULT err=0 tag=97 nentries=0 etime=0",
        "conn={n} op={m} RESULT err=49 tag=97 nentries=0 etime=0",
        "conn={n} op={n} fd=64 closed - U1",
    ),
    "postfix/smtpd[{n}]": (
        "connect from mail.example[192.0.2.{m}]",
        "4XkJ5{n}0Zz{m}: client=mail.example[192.0.2.{m}], sasl_method=PLAIN, sasl_username=u{m}",
        "4XkJ5{m}1Zz{n}: client=mail.example[192.0.2.{m}], sasl_method=PLAIN, sasl_username=u{m}",
        "disconnect from mail.example[192.0.2.{m}] ehlo=1 auth=1 quit=1 commands=3",
    ),
    "audispd": (
        "type=SYSCALL msg=audit(1795500000.5:{n}): arch=c000003e syscall=257 success=yes exit=3 ppid={m} pid=7 auid=1 "
        'uid=0 comm="c{m}" exe="/usr/bin/c{m}" key="k"',
        'type=CWD msg=audit(1795500000.5:{n}): cwd="/home/u{m}"',
        'type=PATH msg=audit(1795500000.5:{n}): item=0 name="../shadow" nametype=NORMAL',
        "type=PROCTITLE msg=audit(1795500000.5:{n}): proctitle=636174",
    ),
    "internal-sftp[{n}]": (
        "session opened for local user u{m} from [192.0.2.{m}]",
        'remove name "/home/u/{m}"',
        "session closed for local user u{m} from [192.0.2.{m}]",
    ),
    "sshd[{n}]": (
        "Failed password for root from 192.0.2.{m} port 22 ssh2",
        "Accepted publickey for u{m} from 192.0.2.{m} port 22 ssh2",
    ),
    "postgres[{n}]": (
        "[1-1] LOG:  connection received: host=192.0.2.{m} port=4711",
        '[2-1] FATAL:  password authentication failed for user "u{m}"',
        "[3-1] LOG:  disconnection: session time: 0:00:01.000 user=u{m} database=d host=192.0.2.{m} port=4711",
    ),
    "openvpn[1]": (
        "192.0.2.{n}:1194 TLS: Username/Password authentication succeeded for username 'u{m}'",
        "192.0.2.{n}:1194 TLS Auth Error: Auth Username/Password verification failed for peer",
        "192.0.2.{n}:1194 [u{m}] Peer Connection Initiated with [AF_INET]192.0.2.{n}:1194",
    ),
    "exim[1]": (
        "1vN{m}aa-0000{n}0-1A <= a@example.com H=(c) [192.0.2.{n}]:51234 P=esmtpsa A=plain:bob S=12",
        "1vN{n}bb-0000{m}1-2B <= a@example.com H=(c) [192.0.2.{n}]:51234 P=esmtpsa A=plain:bob S=12",
    ),
    "systemd-logind[1]": ("New session {n} of user u{m}.", "Session {n} logged out.", "Removed session {n}."),
}
POOLS = [
    [
        f"<38>Nov 24 10:00:00 h {program}: {message}".replace("{n}", n).replace("{m}", m).encode()
        for message in messages
        for n in numbers
        for m in "12"
    ]
    for numbers in ("1", "12")
    for program, messages in _TEMPLATES.items()
]
"""Lines of one program, of one of its connections or of two: those that have to do with each other."""

Made = tuple[Any, ...]


def log_of(lines: Iterable[tuple[bytes, int, int]]) -> list[Any]:
    """Records of lines, each with how many offsets and seconds it comes after the one before it."""
    offset, time, found = 40, 1_795_521_600_000, []
    for value, holes, seconds in lines:
        offset, time = offset + holes, time + seconds * 1000
        found.append(
            SimpleNamespace(
                topic="raw.syslog", partition=0, offset=offset, timestamp=time, key=b"h", value=value, headers=()
            )
        )
    return found


@dataclass
class Changelog:
    """One partition of a changelog: records in their order."""

    records: list[Any] = field(default_factory=list)

    def part(self, generation: int, durable: int | None = None) -> ChangelogPartition[CorrelationStore]:
        """Recovered from the first `durable` records."""
        found = ChangelogPartition("joins", 0, CorrelationStore())
        found.apply(self.records[:durable])
        found.generation = generation
        return found

    def append(self, outgoing: Iterable[Any]) -> None:
        self.records += [SimpleNamespace(key=one[1], value=one[2]) for one in outgoing]


class Worker:
    """Owns the partition from an offset on, and checks every event that it makes."""

    def __init__(
        self, pipeline: Pipeline, log: Sequence[Any], part: ChangelogPartition[CorrelationStore], committed: int
    ) -> None:
        self._pipeline, self._log, self._part = pipeline, log, part
        self.committed = self.at = committed
        self.expected: dict[int, Made] | None = None

    def batch(self, size: int) -> list[Any]:
        """Parse the next records. Returns what their acknowledgement waits for; nothing when there are none."""
        records = [record for record in self._log if record.offset >= self.at][:size]
        if not records:
            return []
        state = BatchState(self._part, 0, records[0].offset, self.committed)
        for record, event in zip(records, self._pipeline.records(records, state), strict=True):
            if self.expected is not None:
                assert event == self.expected[record.offset]
        self.at = records[-1].offset + 1
        return [*state.expired(), *state.records(records[-1].offset)]

    def stale_records(self) -> list[Any]:
        return self._part.stale_records()


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(Settings(data_dir=Path(tmp_path_factory.mktemp("replay"))))


def uninterrupted(pipeline: Pipeline, log: Sequence[Any]) -> dict[int, Made]:
    """What becomes of each line when all are parsed once, one at a time."""
    part = Changelog().part(1)
    found: dict[int, Made] = {}
    for record in log:
        state = BatchState(part, 0, record.offset, 0)
        (found[record.offset],) = pipeline.records([record], state)
        state.expired()
        state.records(record.offset)
    return found


def small(monkeypatch: pytest.MonkeyPatch, closed: int = 120) -> None:
    """Little room and short lives, so that entries are evicted and expire; `closed` is in seconds."""
    for name, value in (("correlation_store.MOST", 5), ("correlation.OPEN", 3600), ("correlation.CLOSED", closed)):
        monkeypatch.setattr(f"agents.state.{name}", value)


def _lines(pools: list[list[bytes]]) -> st.SearchStrategy[list[tuple[bytes, int, int]]]:
    line = st.sampled_from([line for pool in pools for line in pool])
    holes, seconds = st.sampled_from([1, 1, 1, 4]), st.sampled_from([0, 0, 1, 70, 2000])
    return st.lists(st.tuples(line, holes, seconds), min_size=8, max_size=40)


lines = st.lists(st.sampled_from(POOLS), min_size=1, max_size=2).flatmap(_lines)
sizes = st.lists(st.integers(1, 6), min_size=1, max_size=8)
_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def _turns(sizes: Sequence[int]) -> Callable[[], int]:
    """Sizes of batches, again and again."""
    left: list[int] = []

    def turn() -> int:
        if not left:
            left.extend(sizes)
        return left.pop(0)

    return turn


@given(lines, sizes, sizes, st.integers(0, 3))
@settings(_SETTINGS, max_examples=60)
def test_wherever_a_worker_dies_its_successor_makes_the_same(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, drawn: Any, first: Any, second: Any, delay: int
) -> None:
    """Every end of what was sent, with every commit that may have been made by then."""
    small(monkeypatch)
    log = log_of(drawn)
    expected = uninterrupted(pipeline, log)
    changelog, size = Changelog(), _turns(first)
    worker = Worker(pipeline, log, changelog.part(1), 0)
    worker.expected = expected
    legal = [(0, 0)]  # records that must be durable, and the commit that it takes them for
    while True:
        sent = worker.batch(size())
        if worker.at == legal[-1][1]:
            break
        changelog.append(sent)
        changelog.append(worker.stale_records())
        legal.append((len(changelog.records), worker.at))
        worker.committed = legal[max(0, len(legal) - 1 - delay)][1]
    for durable in range(len(changelog.records) + 1):
        for needed, commit in legal:
            if needed <= durable and _is_legal(legal, durable, commit, delay):
                _go_on(pipeline, log, changelog.part(2, durable), commit, second, expected)


def _is_legal(legal: Sequence[tuple[int, int]], durable: int, commit: int, delay: int) -> bool:
    """Whether the group may stand at `commit`: a later one was known when a record was sent that is durable."""
    sent = sum(needed < durable for needed, _ in legal)
    return commit >= legal[max(0, sent - 1 - delay)][1]


def _go_on(
    pipeline: Pipeline,
    log: Sequence[Any],
    part: ChangelogPartition[CorrelationStore],
    commit: int,
    sizes: Sequence[int],
    expected: Any,
) -> None:
    worker, size = Worker(pipeline, log, part, commit), _turns(sizes)
    worker.expected = expected
    before = -1
    while worker.at != before:
        before = worker.at
        worker.batch(size())


_STEPS = ("batch", "batch", "batch", "deliver", "deliver", "commit", "rewind", "die", "zombie", "zombie")
steps = st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(1, 6)), min_size=25, max_size=100)


class Group:
    """Workers that own the partition one after the other, and what Kafka has of them."""

    def __init__(self, pipeline: Pipeline, log: Sequence[Any]) -> None:
        self._pipeline, self._log = pipeline, log
        self._expected = uninterrupted(pipeline, log)
        self._changelog = Changelog()
        self._committed = self._generation = 0
        self._zombie: tuple[Worker, list[Any]] | None = None
        self._begin()

    def _begin(self) -> None:
        self._generation += 1
        part = self._changelog.part(self._generation)
        self._worker = Worker(self._pipeline, self._log, part, self._committed)
        self._worker.expected = self._expected
        self._sent: list[tuple[list[Any], list[Any]]] = []
        self._ends: list[int] = []
        self._durable = 0

    def batch(self, size: int) -> None:
        before = self._worker.at
        sent = self._worker.batch(size)
        if self._worker.at != before:
            self._sent.append((sent, self._worker.stale_records()))
            self._ends.append(self._worker.at)

    def deliver(self, number: int) -> None:
        """More of what was sent is durable; what a batch overtakes is sent when all of it is."""
        for _ in range(number):
            if self._durable == len(self._sent):
                return
            records, overtaken = self._sent[self._durable]
            if records or overtaken:
                self._changelog.append([(records or overtaken).pop(0)])
            if not records and not overtaken:
                self._durable += 1

    def commit(self, number: int) -> None:
        """Commit some of the batches that are durable."""
        number = min(number, self._durable)
        if number:
            self._committed = self._worker.committed = self._ends[number - 1]
            del self._sent[:number], self._ends[:number]
            self._durable -= number

    def rewind(self, _: int) -> None:
        """The same worker is given the partition again, and begins at the commit; what it sent is on its way still."""
        self.deliver(1 << 10)
        self._worker.at = self._committed
        self._sent, self._ends, self._durable = [], [], 0

    def die(self, number: int) -> None:
        """Somebody else goes on; the worker may only be stopped, with things to send."""
        self._zombie = self._worker, [one for records, _ in self._sent for one in records]
        self._begin()

    def zombie(self, size: int) -> None:
        """What the worker before this one had sent arrives, and it goes on for a batch."""
        if self._zombie is not None:
            worker, sent = self._zombie
            self._changelog.append(sent)
            self._zombie = worker, worker.batch(size)


@given(lines, steps)
@settings(_SETTINGS, max_examples=200)
def test_whatever_happens_to_workers_a_line_becomes_the_same(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, drawn: Any, steps: Any
) -> None:
    """Deaths, commits, rebalances and workers that wake up late, but not so late that closed entries are erased."""
    small(monkeypatch, closed=1 << 40)
    group = Group(pipeline, log_of(drawn))
    for step, number in steps:
        getattr(group, step)(number)
    for _ in range(len(drawn)):
        group.batch(3)
