"""Judges the logs of one partition number, and keeps what that leads to until a checkpoint makes it durable.

A state is that of all logs at their positions, together: groups, positions and decided alerts are made durable by one
record (`agents.detection.checkpoint`), so what is read again after a crash is read by a state that has not seen it:

- a record at or below its log's `position` was judged before;
- an event at or below the greatest raw offset that matched of its raw partition was written again by normalize;
- a forwarded match at or below the greatest offset that came from its source was forwarded again.

A log's time is the latest credible arrival (`agents.counting.stream_time`). A match from more than ten minutes after it
is counted as late, and so is one that comes ten minutes and a span behind the newest of its group. So old lines are
judged by their own times, and a wrong clock harms no other group. Alerts are closed, and groups forgotten, by the time
that all logs have passed, where one that has nothing left to read has passed the present.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from agents.detection.forwards import Source, decode
from agents.detection.logs import Log
from agents.detection.reading import Clock, matches_of
from agents.detection.rulebook import RuleBook, Rules
from agents.transport.partitioner import partition_of
from alerts.alert import OpenAlert
from alerts.correlation.groups import Place
from alerts.correlation.judge import Change, Forward, Judge
from alerts.correlation.limits import MOST_GROUPS, Key
from alerts.engine.view import Match
from topics.avro.codec import CodecError
from topics.catalogue import MATCHES, READ_BY
from topics.records.replay import counting_position

IDLE = 10.0
"""Seconds without records after which a log with nothing left to read has passed the present."""
_LEAST_GROUPS = 1000


def _is_again(log: Log, match: Match, record: Any) -> bool:
    """Whether normalize wrote an event again that was judged before."""
    event = match.view.reference
    source, offset = (counting_position(record) if record.headers else None) or (
        (event.topic, event.partition),
        event.offset,
    )
    return log.is_again(source, offset)


class DetectionState:
    """The state of one partition number out of `partitions`.

    `news` are alerts by id that changed since their last revision, `inherited` revisions that a predecessor decided and
    may not have sent, `lost` the records of groups whose rules are gone, by position and generation.
    """

    def __init__(self, prefix: str, partition: int, partitions: int, book: RuleBook) -> None:
        self.partition, self._book = partition, book
        self.logs = {
            prefix + topic.name: Log(prefix + topic.name, topic.schema, partition) for topic in READ_BY["detect"]
        }
        self._matches = prefix + MATCHES.name
        self._home: Callable[[str], int] = lambda text: partition_of(text.encode("utf-8", "replace"), partitions)
        self._most = max(_LEAST_GROUPS, MOST_GROUPS // partitions)
        self.rules: Rules = book.current
        self.judge = Judge(self.rules.found, self._most, self._home, partition)
        self.news: dict[str, Change] = {}
        self.forwards: list[tuple[Source, Forward]] = []
        self.inherited: list[tuple[str, bytes]] = []
        self.marks: dict[str, int] = {}
        self.matched = 0
        self.lost: dict[Key, tuple[int, int]] = {}

    @property
    def judged(self) -> int:
        """Records that were judged, all logs together."""
        return sum(log.judged for log in self.logs.values())

    # Judging

    def take(self, topic: str, records: Sequence[Any]) -> None:
        """Judge records of a log, offsets ascending. Blocks. Raises `UnknownSchema`, and has judged nothing then."""
        self._adopt()
        log = self.logs[topic]
        fresh = [record for record in records if record.offset > log.position and record.value]
        if topic == self._matches:
            self._deliver(log, fresh)
        else:
            self._judge(log, fresh)
        log.heard = time.monotonic()
        log.judged += len(fresh)
        if records:
            log.position = max(log.position, records[-1].offset)

    def _adopt(self) -> None:
        if self.rules is not self._book.current:
            self.rules = self._book.current
            self._note(self.judge.adopt(self.rules.found))

    def _judge(self, log: Log, records: list[Any]) -> None:
        matches, clock = self._matches_of(log, records), Clock(log.time, records)
        place, again = -1, False
        for match in matches:
            record = records[match.place]
            try:
                if match.place != place:
                    place, again = match.place, True
                    clock.advance(place)
                    again = _is_again(log, match, record)
                if not again:
                    self.matched += 1
                    self._note(self.judge.see(match, Place(0, record.offset, log.now)))
                    self._keep_forwards(log.topic, record.offset)
            except CodecError:  # what was looked at before was whole
                log.undecodable += 1
        clock.advance(len(records) - 1)

    def _matches_of(self, log: Log, records: list[Any]) -> list[Match]:
        engine = self.rules.engines.get(log.kind)
        if engine is None:
            return []
        found, undecodable = matches_of(engine, [record.value for record in records])
        log.undecodable += undecodable
        return found

    def _deliver(self, log: Log, records: list[Any]) -> None:
        for record in records:
            try:
                items = decode(record.value, self.partition)
            except ValueError:
                log.undecodable += 1
                continue
            before = {source.log: self.marks.get(source.log, -1) for source, _ in items}
            for source, forward in items:
                if source.offset <= before[source.log]:
                    continue
                self.marks[source.log] = source.offset
                log.time.note(forward.sighting.now // 1000)
                self._note(self.judge.deliver(forward))
                self._keep_forwards(log.topic, record.offset)

    def _keep_forwards(self, topic: str, offset: int) -> None:
        if self.judge.forwards:
            source = Source(f"{topic}-{self.partition}", offset)
            self.forwards += [(source, forward) for forward in self.judge.forwards]
            self.judge.forwards.clear()

    def _note(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.news[change.alert.id] = change

    # Time

    def now(self, left: Mapping[str, int]) -> int:
        """The time that all logs have passed, microseconds since 1970. `left` says how many records a log has left."""
        clock, moment = time.time_ns() // 1000, time.monotonic()
        busy = [log.now for log in self.logs.values() if left.get(log.topic) or moment - log.heard < IDLE]
        return min([clock, *busy])

    def expire(self, now: int) -> None:
        """Close alerts, and forget groups, that are over at `now`."""
        self._adopt()
        self._note(self.judge.expire(now))

    # Recovery

    def resume(self, told: dict[str, Any] | None, groups: dict[Key, tuple[list[Any], int, int]]) -> None:
        """Go on from a recovered row and groups; those come with position and generation of their records."""
        if told is not None:
            for topic, row in told["logs"].items():
                if topic in self.logs:
                    self.logs[topic].told = row
            self.marks = told["marks"]
            self.judge.looked = told["looked"]
            self.judge.late.update(told["late"])
            self.judge.evicted.update(told["evicted"])
        for name, (dumped, position, generation) in groups.items():
            group = self.judge.restore(name, dumped)
            if group is None:
                self.lost[name] = position, generation
                continue
            group.position, group.generation = position, generation
            if group.alert is not None and group.alert.count != group.alert.published_count:
                self._remember(name, group.alert)

    def _remember(self, name: Key, alert: OpenAlert) -> None:
        rule = self.judge.rule(name[0])
        if not rule.silent:
            self.news[alert.id] = Change(rule, name[2:], alert, closed=alert.over)
