"""Raw topics in, typed topics out. A batch is acknowledged when everything made of it was delivered."""

import asyncio
from typing import Any

from agents.pipeline import Pipeline
from agents.roles import role_app
from agents.settings import Settings
from agents.transport import BatchApp, InOrder, fatal
from streams.base import MemoryJoins
from topics.catalogue import RAW

ROLE = "normalize"
_RELOAD = 30.0  # seconds between looks at the GeoIP files


def make_app(settings: Settings) -> BatchApp:
    """The Faust app of the role. Lines of one raw partition become events in their order."""
    app = role_app(ROLE, settings, RAW)
    pipeline, in_order, joins, going = Pipeline(settings), InOrder(), MemoryJoins(), set[asyncio.Task[None]]()

    async def normalize(stream: Any) -> None:
        async for event in stream.events():
            in_order(event.message, event.value)
            records = pipeline.records(event.value, joins)
            task = asyncio.create_task(_acknowledge(event, await app.delivery.send(records)))
            going.add(task)
            task.add_done_callback(going.discard)

    async def reload() -> None:
        pipeline.enricher.reload_if_changed()

    app.agent(app.batch_topic(*app.batch_topics), name=ROLE)(normalize)
    app.timer(_RELOAD)(reload)
    return app


async def _acknowledge(event: Any, delivered: asyncio.Future[None]) -> None:
    """The next batch is parsed while this one travels."""
    try:
        await delivered
    except Exception as error:
        fatal(f"{ROLE}: not delivered: {error!r}")
    event.ack()
