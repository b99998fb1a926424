"""Runs apps in a process, as `faust worker` does, but without its command line, web server and slow exits."""

import asyncio
import contextlib
import logging
import signal
import sys
from functools import partial
from typing import NoReturn

from mode import Service

from agents.transport.app import BatchApp
from agents.transport.ordering import abort_process
from topics.errors import AccessRefused
from topics.health import Health
from topics.kafka.client import answers

STOP_LIMIT = 30.0
"""Seconds from the signal until the process is ended, unless `worker` is told another number."""
_RETRY = 1.0  # seconds between checks whether Kafka answers

log = logging.getLogger("ogrewatch.transport")


class _Root(Service):
    """The parent of all apps of the process: a crash of any of them is recorded here."""


async def worker(*apps: BatchApp, health: Health | None = None, grace: float = STOP_LIMIT) -> None:
    """Run apps until SIGTERM or SIGINT, then stop gracefully: what is done is committed, the rest is left to others.

    Waits for Kafka first, and logs that once: Faust would crash again and again. Raises what an app crashed with, and
    `AccessRefused`. A stop that takes longer than `grace` seconds ends the process (status 70). `health` is told that
    the loops turn.
    """
    root, health = _Root(), health or Health()
    for app in apps:
        app.beacon.reattach(root.beacon)
        app.in_worker = True
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    beating = asyncio.create_task(health.beat(also=partial(_beat, apps, health)))
    for app in apps:
        await _answered(app, stop)
    if stop.is_set():
        return
    try:
        await root.start()
        await asyncio.gather(*(_unless(stop, app) for app in apps))
        await root.wait_first(stop.wait())  # or a crash
    finally:
        health.stopping = True
        limit = loop.call_later(grace, abort_process, f"no graceful stop within {grace:.0f} seconds")
        await asyncio.gather(*(app.stop() for app in apps))
        await root.stop()
        limit.cancel()
        beating.cancel()
    if root.crash_reason:
        raise root.crash_reason


def _beat(apps: tuple[BatchApp, ...], health: Health) -> None:
    for app in apps:
        app.beat(health)


async def _answered(app: BatchApp, stop: asyncio.Event) -> None:
    """Wait until Kafka answers, or for a signal."""
    told = False
    while not (stop.is_set() or await asyncio.to_thread(answers, app.servers)):
        if not told:
            told = True
            log.warning("Kafka at %s does not answer yet: waiting for it", app.servers)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _RETRY)


async def _unless(stop: asyncio.Event, app: BatchApp) -> None:
    """Start an app, which waits until its tables are recovered, but no longer than until a signal."""
    starting, stopping = asyncio.ensure_future(app.start()), asyncio.ensure_future(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if starting.done():
        await starting


def run(*apps: BatchApp, health: Health | None = None, grace: float = STOP_LIMIT) -> NoReturn:
    """Run apps in this process and exit; see `worker`.

    Status 0 after a signal, 1 after a crash (for a supervisor to restart), 77 when Kafka refuses us.
    """
    try:
        asyncio.run(worker(*apps, health=health, grace=grace))
    except AccessRefused as error:
        log.critical("%s", error)
        sys.exit(AccessRefused.STATUS)
    except Exception as error:
        log.critical("crashed: %r", error)
        sys.exit(1)
    sys.exit(0)
