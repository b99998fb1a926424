"""A small application in a process of its own: copies a topic, or fails at it. Started by the tests of the worker."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agents.transport import BatchApp, ContinuityCheck, Outgoing, RateLimitFilter, run
from topics.logs import print_logs

settings = json.loads(sys.argv[1])
app = BatchApp(
    settings["group"], broker=settings["servers"], batch_topics=[settings["source"]], partitions=2,
    datadir=Path(settings["datadir"]), broker_session_timeout=6.0, broker_max_poll_records=200,
    broker_commit_interval=0.2,
)  # fmt: skip
check_continuity = ContinuityCheck()
in_hand: set[asyncio.Task[None]] = set()


async def settle(event: Any, delivered: asyncio.Future[None]) -> None:
    await delivered
    await asyncio.sleep(settings.get("slow", 0))
    event.ack()


async def copy(stream: Any) -> None:
    async for event in stream.events():
        check_continuity(event.message, event.value)
        if event.value.last >= settings.get("fail_at", 1 << 60):
            raise ValueError("told to fail")
        records = [Outgoing(settings["sink"], None, record.value, record.partition) for record in event.value]
        task = asyncio.create_task(settle(event, await app.delivery.send(records)))
        in_hand.add(task)
        task.add_done_callback(in_hand.discard)
        await asyncio.sleep(settings.get("pause", 0))


app.agent(app.batch_topic(settings["source"]), name="copy")(copy)
print_logs("copy", "WARNING", "text", RateLimitFilter())
run(app)
