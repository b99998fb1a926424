"""Decides whether failing records may become dead letters: not when most records fail, and our own samples, too.

A single record that cannot be processed has to become a dead letter; all records since a faulty upgrade must not.
Senders must not be able to decide which of both it is: one of them could send a thousand records that no version can
process. So when most records of a partition fail, this version processes samples of its own (see `canary`). If it can,
the records are at fault, and become dead letters. If it cannot, nothing is acknowledged, so that a later version reads
the records again.

A worker that is restarted again and again would create more dead letters each time. So the recent dead letters of this
version are read from the dead-letter topic at the first failure in a partition.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from typing import Any

from agents.runtime.canary import Canary
from agents.runtime.kafka_retry import retry_until_answered
from agents.settings import Settings
from topics.catalogue import DEADLETTER
from topics.kafka.reader import Reader
from topics.records.deadletter import InvalidDeadLetter, error_of, offset_of, read

WINDOW = 1000
"""Records of a partition that are recent."""
_VALID = 60.0  # seconds for which samples that were processed show that they can be
_REMINDER = 600.0  # seconds before the log says again that records are at fault

_log = logging.getLogger("ogrewatch.failing")


class LimitExceeded(Exception):
    """Most of a partition's recent records have failed, and samples of our own fail, too."""


class FailureLimit:
    """Keeps a role from making dead letters of everything. Fewer failures than `settings.dead_letter_limit` are always
    allowed; 0 allows any.
    """

    def __init__(self, role: str, settings: Settings, canary: Canary) -> None:
        self._role, self._limit, self._servers = role, settings.dead_letter_limit, settings.kafka
        self._topic, self._version = settings.prefix + DEADLETTER.name, version("ogrewatch")
        self._failed: dict[tuple[str, int], set[int]] = {}
        self._asking = asyncio.Lock()
        self._canary, self._sound, self._told = canary, dict[str, float](), dict[tuple[str, int], float]()

    async def check(self, batch: Sequence[Any], letters: Sequence[Any]) -> None:
        """Check a batch of one partition, and the dead letters about its records that are to be delivered.

        The batch must not be acknowledged before. Batches may come in another order than they were read in. Raises
        `LimitExceeded` when more than half fail of the batch, and of the partition's recent records, and as many as the
        limit, and samples of our own, too. Waits for Kafka to read earlier dead letters.
        """
        if not (self._limit and letters):
            return
        first, last = batch[0], batch[-1].offset
        failed = await self._known(first)
        now = {offset for offset in map(offset_of, letters) if offset > last - WINDOW}
        failed |= now
        failed -= {offset for offset in failed if offset <= last - WINDOW}
        recent = sum(offset <= last for offset in failed)
        if recent >= self._limit and 2 * recent > min(WINDOW, last + 1) and 2 * len(now) > len(batch[-WINDOW:]):
            await self._judge(first, recent, error_of(letters[-1]))

    async def _judge(self, first: Any, failed: int, why: str) -> None:
        """Raise `LimitExceeded` if the samples fail; else say, now and then, that the records are at fault."""
        where, now = f"{first.topic}-{first.partition}", time.monotonic()
        if now - self._sound.get(first.topic, -_VALID) >= _VALID:
            if fault := await self._canary(first.topic):
                raise LimitExceeded(_sentence(where, failed, why, fault))
            self._sound[first.topic] = now
        if now - self._told.get((first.topic, first.partition), -_REMINDER) >= _REMINDER:
            self._told[first.topic, first.partition] = now
            _log.error(
                "%s: %d of the last %d records of %s became dead letters, the last because of %s; our own samples pass",
                self._role, failed, WINDOW, where, why,
            )  # fmt: skip

    async def _known(self, first: Any) -> set[int]:
        """Return the offsets that failed in a record's partition; reads them from Kafka at the first call."""
        where = first.topic, first.partition
        async with self._asking:
            if where not in self._failed:
                self._failed[where] = await self._before(first)
        return self._failed[where]

    async def _before(self, first: Any) -> set[int]:
        question = partial(self._given_up, first.topic, first.partition, first.offset)
        return await retry_until_answered(_log, "look at the dead letters", question)

    def _given_up(self, topic: str, partition: int, offset: int) -> set[int]:
        """Return the offsets, among the last before `offset`, of which this version made dead letters; blocks."""
        wanted = self._role, self._version, topic, partition
        found = set()
        with Reader(self._servers) as reader:
            spans = {n: (max(begin, end - WINDOW), end) for n, (begin, end) in reader.bounds(self._topic).items()}
            for message in reader.read(self._topic, spans):
                with suppress(InvalidDeadLetter):
                    letter = read(message)
                    if (letter.component, letter.version, letter.topic, letter.partition) == wanted:
                        found.add(letter.offset)
        return {at for at in found if offset - WINDOW <= at < offset}


def _sentence(where: str, failed: int, why: str, fault: str) -> str:
    return (
        f"{failed:,} of the last {WINDOW:,} records of {where} could not be processed, the last because of {why}. "
        f"{fault}: this is a fault of this version or of its surroundings, so it gives up on nothing more of this "
        "partition, and tries again every half minute. Mend that, or set OGREWATCH_DEAD_LETTER_LIMIT=0 to let all "
        "become dead letters."
    )
