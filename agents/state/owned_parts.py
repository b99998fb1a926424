"""Proves that this worker owns parts of a changelog table, before and after their checkpoints are written.

A worker that was stopped for longer than its session has a successor and does not know it. Only the broker can tell,
and it is asked twice, by a commit under the worker's own generation:

- after a part was recovered, before anything is written of it. So its owner recovered what was durable before any later
  owner began;
- after a checkpoint is durable, before what follows from it is sent. So every later owner finds the checkpoint, and
  what is sent now, however late it arrives, is what a later owner sends, too.

What the broker does not confirm loses against what the successor writes (ADR 6).
"""

import asyncio
from typing import Generic

from agents.state.changelog import ChangelogPartition, S
from agents.state.changelog_table import ChangelogTable
from agents.transport import BatchApp


class OwnedParts(Generic[S]):
    """The parts of a table that this worker owns. `pause` is the seconds before the broker is asked again."""

    def __init__(self, app: BatchApp, table: ChangelogTable[S], pause: float) -> None:
        self._app, self._table, self._pause = app, table, pause
        self._confirmed: set[ChangelogPartition[S]] = set()

    def has(self, part: ChangelogPartition[S]) -> bool:
        """Tell whether this worker owns a part, as far as it knows."""
        return self._table.store.parts.get(part.partition) is part

    def forget_moved(self) -> None:
        """Forget confirmations of parts that have moved."""
        self._confirmed = set(filter(self.has, self._confirmed))

    async def may_write(self, parts: set[ChangelogPartition[S]]) -> bool:
        """Tell whether the broker has confirmed since their recovery that this worker owns these parts."""
        unconfirmed = parts - self._confirmed
        if unconfirmed and not await self._confirm(unconfirmed):
            return False
        self._confirmed |= unconfirmed
        return True

    async def proven(self, parts: set[ChangelogPartition[S]]) -> set[ChangelogPartition[S]]:
        """Return those of the parts that this worker still owned when all that it had written was durable.

        Asks until the broker has confirmed that, or the partitions have moved.
        """
        while parts := set(filter(self.has, parts)):
            if await self._confirm(parts):
                break
            await asyncio.sleep(self._pause)
        return parts

    async def _confirm(self, parts: set[ChangelogPartition[S]]) -> bool:
        """Ask the broker whether this worker owns parts; not if the worker itself knows that it does not."""
        store = self._table.store
        if store.moving or not all(map(self.has, parts)):
            return False
        return await self._app.commit_as_owner(store.generation, {part.partition for part in parts})
