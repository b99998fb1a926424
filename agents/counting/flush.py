"""Counted batches in, acknowledgements out, once what they changed is durable.

Checkpoints of all logs are written together, one step after the other, one round after the other. Counting goes on
meanwhile, and queries read what is counted, not what is written.

A worker that was stopped for longer than its session may write on before it learns that it has a successor. Entries do
no harm then, but the successor has begun without them, so no row may claim them: after a step that took longer than
`LEASE`, the next one waits until a heartbeat must have told.
https://kafka.apache.org/documentation/#consumerconfigs_session.timeout.ms
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from agents.changelog import Part
from agents.changelog_table import ChangelogTable
from agents.counting.checkpoint import Checkpoint, resume, take
from agents.counting.log import Log
from agents.counting.shelf import Shelf
from agents.counting.windows import Window, due
from agents.transport import BatchApp, Outgoing
from topics.deadletter import letter

AGE = 0.5
"""Seconds for which changes gather."""
LEASE = 4.0
"""Seconds after which a worker is no longer sure of its partitions: less than the session time-out."""
_DOUBT = 5.0  # seconds in which it must have heard: more than two heartbeats
_CROWD = 15_000  # records that are too many to wait: fetching stops when too much is unacknowledged
_TICK = 0.1  # seconds between looks
_IDLE = 10.0  # seconds without records after which a log's minutes close by the clock


@dataclass(eq=False, slots=True)
class Account:
    """What a log has been given and not made durable: events to acknowledge, and windows that a predecessor decided."""

    log: Log
    part: Part[Shelf]
    heard: float
    since: float = 0.0
    events: list[Any] = field(default_factory=list)
    owed: list[Window] = field(default_factory=list)

    def now(self) -> int:
        """The log's time in milliseconds; the clock's, when nothing comes any more."""
        return int(time.time() * 1000) if time.monotonic() - self.heard > _IDLE else self.log.newest

    def due(self, hurry: bool) -> bool:
        """Whether a checkpoint is worth while."""
        if self.events and (hurry or time.monotonic() - self.since >= AGE):
            return True
        return bool(self.owed) or due(self.log, self.now())


@dataclass(frozen=True, slots=True)
class _Pending:
    checkpoint: Checkpoint
    letters: list[Outgoing]
    events: list[Any]


class Flusher:
    """Writes the checkpoints of an app's table."""

    def __init__(self, app: BatchApp, table: ChangelogTable[Shelf], prefix: str) -> None:
        self._app, self._table, self._prefix = app, table, prefix
        self._accounts: dict[Log, Account] = {}
        self._crowd = 0

    def open(self, part: Part[Shelf]) -> None:
        """Begin with the logs of a part that has just been recovered."""
        for log in part.shelf.logs.values():
            self._accounts[log] = Account(log, part, time.monotonic(), owed=resume(log))

    def gather(self, log: Log, event: Any, records: int) -> None:
        """Take a batch that was counted; it will be acknowledged."""
        account = self._accounts[log]
        account.heard = time.monotonic()
        if not account.events:
            account.since = account.heard
        account.events.append(event)
        self._crowd += records

    async def run(self) -> None:
        """Flush for ever. Raises what goes wrong; nothing that is not durable was acknowledged."""
        while True:
            await asyncio.sleep(_TICK)
            self._accounts = {log: account for log, account in self._accounts.items() if self._owns(account.part)}
            if not self._table.store.moving:
                await self.flush()

    async def flush(self) -> None:
        """Make durable what is due."""
        hurry = self._crowd > _CROWD or self._app.rebalancing or self._app.should_stop
        chosen = [account for account in self._accounts.values() if account.due(hurry)]
        if not chosen:
            return
        self._crowd = 0
        pending = []
        for account in chosen:
            pending.append(self._take(account))
            await asyncio.sleep(0)
        await self._write(pending)

    def _take(self, account: Account) -> _Pending:
        """Without an await, so that all of it is true at one position."""
        events, account.events = account.events, []
        owed, account.owed = account.owed, []
        found, account.log.undecodable = account.log.undecodable, []
        letters = [letter(self._prefix, "count", record, "decoding", text) for record, text in found]
        return _Pending(take(account.log, account.part, account.now(), owed), letters, events)

    async def _write(self, pending: list[_Pending]) -> None:
        begun = await self._deliver([record for p in pending for record in (*p.letters, *p.checkpoint.entries)])
        pending = await self._still_ours(pending, begun)
        begun = await self._deliver([record for p in pending for record in p.checkpoint.row])
        for event in [event for p in pending for event in p.events]:
            event.ack()
        pending = await self._still_ours(pending, begun)
        await self._deliver([record for p in pending for record in p.checkpoint.last(self._prefix)])

    async def _deliver(self, records: list[Outgoing]) -> float:
        """Return when everything is durable; the result is when it was handed over."""
        begun = time.monotonic()
        await (await self._app.delivery.send(records))
        return begun

    async def _still_ours(self, pending: list[_Pending], begun: float) -> list[_Pending]:
        """What this worker still owns for sure, having waited until it can be sure."""
        while self._table.store.moving or time.monotonic() - begun > LEASE:
            wait = _TICK if self._table.store.moving else _DOUBT
            begun = time.monotonic() + wait  # if that takes much longer, it is no proof
            await asyncio.sleep(wait)
        return [p for p in pending if self._owns(p.checkpoint.part)]

    def _owns(self, part: Part[Shelf]) -> bool:
        return self._table.store.parts.get(part.partition) is part
