"""Counted logs in, durable ones out, and only then acknowledgements.

A flush of a log is what it was at one position, in four steps, each durable before the next: its changed entries; its
row and its outbox; the acknowledgements; the windows of the outbox, the notes that they were sent, and erasures.
Flushes follow one another; counting goes on meanwhile, and queries read what is counted, not what is flushed.

A worker that was stopped for longer than its session may write on before it learns that it has a successor. Entries do
no harm then, but the successor has begun without them, so no row may claim them: if a step took longer than `LEASE`,
the next one waits until a heartbeat must have told. https://kafka.apache.org/documentation/#consumerconfigs_session.timeout.ms
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from agents.changelog import Part
from agents.changelog_table import ChangelogTable
from agents.counting.log import OUTBOX, ROW, SENT, Log
from agents.counting.shelf import Shelf
from agents.counting.windows import Window, close, due, note_sent
from agents.transport import BatchApp, Outgoing
from topics.deadletter import letter

AGE = 0.5
"""Seconds for which changes gather."""
LEASE = 4.0
"""Seconds after which a worker is no longer sure of its partitions: less than the session time-out."""
_DOUBT = 5.0  # seconds in which it must have heard, more than two heartbeats
_CROWD = 30_000  # records that are too many to wait
_TICK = 0.1  # seconds between looks
_IDLE = 10.0  # seconds without records after which a log's minutes close by the clock


@dataclass(eq=False, slots=True)
class Account:
    """What a log has been given and not flushed: events to acknowledge, and windows that a predecessor decided."""

    log: Log
    part: Part[Shelf]
    heard: float
    since: float = 0.0
    events: list[Any] = field(default_factory=list)
    owed: list[Window] = field(default_factory=list)

    def now(self) -> int:
        """The log's time in milliseconds; the clock's, when nothing comes any more."""
        return int(time.time() * 1000) if time.monotonic() - self.heard > _IDLE else self.log.newest


@dataclass(frozen=True, slots=True)
class Flush:
    """One log at one position, ready to be written."""

    account: Account
    events: list[Any]
    entries: list[Outgoing]
    row: list[Outgoing]
    windows: list[Window]
    erasures: list[Outgoing]


class Flusher:
    """Flushes the logs of an app's table. Not for several tasks at a time."""

    def __init__(self, app: BatchApp, table: ChangelogTable[Shelf], prefix: str) -> None:
        self._app, self._table, self._prefix = app, table, prefix
        self._accounts: dict[Log, Account] = {}
        self._crowd = 0

    def open(self, part: Part[Shelf]) -> None:
        """Begin with the logs of a part that has just been recovered."""
        for log in part.shelf.logs.values():
            account = self._accounts[log] = Account(log, part, time.monotonic())
            account.owed = [Window(*item) for item in log.outbox.value]
            for _ in note_sent(log, account.owed):
                pass

    def gather(self, log: Log, event: Any, records: int) -> None:
        """Take a batch that was counted; it will be acknowledged."""
        account = self._accounts[log]
        account.heard = time.monotonic()
        if not account.events:
            account.since = account.heard
        account.events.append(event)
        self._crowd += records

    async def run(self) -> None:
        """Flush for ever. Raises what goes wrong; nothing unflushed was acknowledged."""
        while True:
            await asyncio.sleep(_TICK)
            self._accounts = {log: a for log, a in self._accounts.items() if self._owned(a)}
            if not self._table.store.moving:
                await self.flush()

    async def flush(self) -> None:
        """Flush what is due."""
        hurry = self._crowd > _CROWD or self._app.rebalancing or self._app.should_stop
        chosen = [account for account in self._accounts.values() if self._due(account, hurry)]
        if not chosen:
            return
        self._crowd = 0
        flushes = []
        for account in chosen:
            flushes.append(self._collect(account))
            await asyncio.sleep(0)
        await self._write(flushes)

    def _due(self, account: Account, hurry: bool) -> bool:
        log = account.log
        if account.events and (hurry or time.monotonic() - account.since >= AGE):
            return True
        return bool(account.owed or log.expiring) or due(log, account.now())

    def _owned(self, account: Account) -> bool:
        return self._table.store.parts.get(account.part.partition) is account.part

    # Collecting: without an await, so that all of it is true at one position

    def _collect(self, account: Account) -> Flush:
        log, part = account.log, account.part
        log.verify()
        events, account.events = account.events, []
        windows, account.owed = account.owed + close(log, account.now()), []
        entries = [*self._letters(log), *self._entries(log, part)]
        row = [part.write(log.name(ROW), log.checkpoint(), log.position)]
        if windows:
            row.append(self._outbox(log, part, windows))
        return Flush(account, events, entries, row, windows, part.overtaken() + _expired(log, part))

    def _entries(self, log: Log, part: Part[Shelf]) -> list[Outgoing]:
        dirty, log.dirty = log.dirty, []
        for _, _, _, entry in dirty:
            entry.dirty = False
        return [part.write(log.name(dimension, minute, key), e, log.position) for dimension, minute, key, e in dirty]

    def _letters(self, log: Log) -> list[Outgoing]:
        found, log.undecodable = log.undecodable, []
        return [letter(self._prefix, "count", record, "decoding", text) for record, text in found]

    def _outbox(self, log: Log, part: Part[Shelf], windows: list[Window]) -> Outgoing:
        log.outbox.value = windows
        sequence = (log.outbox.position >> 32) + 1
        return part.write(log.name(OUTBOX), log.outbox, sequence << 32 | part.generation)

    # Writing

    async def _write(self, flushes: list[Flush]) -> None:
        begun = await self._deliver([record for flush in flushes for record in flush.entries])
        flushes = await self._still_ours(flushes, begun)
        begun = await self._deliver([record for flush in flushes for record in flush.row])
        for flush in flushes:
            for event in flush.events:
                event.ack()
        flushes = await self._still_ours(flushes, begun)
        await self._deliver([record for flush in flushes for record in self._last_step(flush)])

    def _last_step(self, flush: Flush) -> list[Outgoing]:
        log, part = flush.account.log, flush.account.part
        sent = [window.outgoing(log, self._prefix) for window in flush.windows]
        for minute, service, revision, entry in note_sent(log, flush.windows):
            sent.append(part.write(log.name(SENT, minute, service), entry, revision))
        return sent + flush.erasures

    async def _deliver(self, records: list[Outgoing]) -> float:
        """Return when everything is durable; the result is when it was handed over."""
        begun = time.monotonic()
        await (await self._app.delivery.send(records))
        return begun

    async def _still_ours(self, flushes: list[Flush], begun: float) -> list[Flush]:
        """What this worker still owns for sure, having waited until it can be sure."""
        while self._table.store.moving or time.monotonic() - begun > LEASE:
            begun = time.monotonic() + _DOUBT  # slept through, this is no proof
            await asyncio.sleep(_DOUBT if not self._table.store.moving else _TICK)
        return [flush for flush in flushes if self._owned(flush.account)]


def _expired(log: Log, part: Part[Shelf]) -> list[Outgoing]:
    """What erases expired minutes, the notes of what was sent last: without them it would be sent again."""
    expired, log.expiring = log.expiring, {}
    found: list[Outgoing] = []
    for minute, entries in expired.items():
        for dimension in b"aus" + bytes([SENT]):
            for key, entry in entries.of(dimension).items():
                found += part.erasures(log.name(dimension, minute, key), entry)
    return found
