"""Checks in the agent that no batch was missed, and ends the process if one was, so that a restart reads it again."""

import logging
import os
from typing import Any, NoReturn

from agents.transport.batch import Batch

FATAL = 70  # exit status, EX_SOFTWARE of sysexits.h
log = logging.getLogger("ogrewatch.transport")


class MissedBatch(RuntimeError):
    """A batch was lost between the consumer and the agent. This should never happen; the restart reads it again."""


class ContinuityCheck:
    """Checks what the transport promises: batches of a partition come gapless and in order (I1)."""

    def __init__(self) -> None:
        self._at: dict[Any, tuple[int, int]] = {}

    def __call__(self, message: Any, batch: Batch) -> None:
        """Note one batch (`event.message`, `event.value`). Raises `MissedBatch` if one before it never came."""
        generation, last = self._at.get(message.tp, (None, -1))
        if generation != message.generation_id:
            last = -1
        elif batch.after > last:
            raise MissedBatch(f"{message.tp}: a batch that follows {batch.after}, but the last one ended at {last}")
        self._at[message.tp] = message.generation_id, max(batch.last, last)


def abort_process(reason: object) -> NoReturn:
    """Log one line and end the process at once with status 70. A restart goes on from the last commit."""
    log.critical("fatal: %s", reason)
    logging.shutdown()
    os._exit(FATAL)
