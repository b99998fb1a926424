"""A count worker that stops itself in the middle of a flush, once: before or after the broker has confirmed it.

For the tests. `before`: nothing of the second step is sent. `after`: nothing of the third is.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from agents.counting import flush
from agents.counting.buckets import OUTBOX

WHERE, FLAG = sys.argv[1], Path(sys.argv[2])

deliver = flush.Flusher._deliver


def sleep_where_said(records: list[Any]) -> None:
    """Stop where it was said, unless that has been."""
    decided = any(
        record.key and record.value and record.key[5] == OUTBOX for record in records if record.partition is not None
    )
    windows = any(record.topic.endswith("stats.authentication") for record in records)
    if (windows if WHERE == "after" else decided) and not FLAG.exists():
        FLAG.touch()
        os.kill(os.getpid(), signal.SIGSTOP)


async def deliver_or_sleep(self: Any, records: list[Any]) -> None:
    """Deliver, but fall asleep first where it was said."""
    sleep_where_said(records)
    await deliver(self, records)


flush.Flusher._deliver = deliver_or_sleep  # type: ignore[method-assign]

import count_child  # noqa: E402, F401
