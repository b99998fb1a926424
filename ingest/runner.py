"""Runs a receiver in this process until a signal or the end of its Kafka producer, then stops it in good order."""

import asyncio
import contextlib
import signal
from typing import Any

from ingest.base import Receiver
from ingest.kafka_producer import DeadlineProducer

_TAIL = 0.5  # seconds for librdkafka to finish after the receiver has closed


async def run_until_signal(receiver: Receiver, delivery: DeadlineProducer, grace: float, ready: Any = None) -> bool:
    """Run until SIGTERM or SIGINT, then refuse new records, finish accepted ones and return within about `grace` s.

    Returns True when a signal ended it, False when the producer can deliver nothing more. `ready` is called when the
    receiver is open. Raises what `open` of the receiver raises.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await receiver.open()
    if ready is not None:
        ready()
    signalled = asyncio.create_task(stopping.wait())
    finished = asyncio.create_task(delivery.finished.wait())
    await asyncio.wait((signalled, finished), return_when=asyncio.FIRST_COMPLETED)
    for task in (signalled, finished):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await receiver.close(grace)
    await delivery.stop(_TAIL)
    return stopping.is_set()
