"""A way in, in; a process that runs it until a signal, out."""

import asyncio
import contextlib
import signal
from typing import Any

from ingest.base import Receiver
from ingest.kafka_producer import DeadlineProducer

_TAIL = 0.5  # seconds for librdkafka after the way in has closed


async def run_until_signal(way: Receiver, delivery: DeadlineProducer, grace: float, ready: Any = None) -> bool:
    """Run until SIGTERM or SIGINT, then refuse what is new, finish what was accepted and return within `grace` seconds
    and a little. True when a signal ended it, False when the producer did.

    `ready` is called once the way is open. Raises what opening it raises.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await way.open()
    if ready is not None:
        ready()
    signalled = asyncio.create_task(stopping.wait())
    finished = asyncio.create_task(delivery.finished.wait())
    await asyncio.wait((signalled, finished), return_when=asyncio.FIRST_COMPLETED)
    for task in (signalled, finished):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await way.close(grace)
    await delivery.stop(_TAIL)
    return stopping.is_set()
