"""Raw topics in, typed topics out. A batch is acknowledged when everything made of it was delivered."""

import asyncio
from typing import Any

from agents.pipeline import Pipeline, RecentJoins
from agents.settings import Settings
from agents.transport import BatchApp, InOrder, fatal
from topics.catalogue import RAW

ROLE = "normalize"
_RELOAD = 30.0  # seconds between looks at the GeoIP files


def make_app(settings: Settings) -> BatchApp:
    """The Faust app of the role. Lines of one raw partition become events in their order."""
    names = [settings.prefix + topic.name for topic in RAW]
    app = BatchApp(
        f"{settings.prefix}ogrewatch-{ROLE}",
        broker=settings.kafka,
        batch_topics=names,
        batch_max_bytes=32 << 20,
        partitions=settings.partitions,
        datadir=settings.data_dir / "workers" / ROLE,
    )
    pipeline, in_order, joins, going = Pipeline(settings), InOrder(), RecentJoins(), set[asyncio.Task[None]]()

    async def normalize(stream: Any) -> None:
        async for event in stream.events():
            message, batch = event.message, event.value
            in_order(message, batch)
            records = pipeline.records(message.topic, message.partition, batch, joins)
            task = asyncio.create_task(_acknowledge(event, await app.delivery.send(records)))
            going.add(task)
            task.add_done_callback(going.discard)

    async def reload() -> None:
        pipeline.enricher.reload_if_changed()

    app.agent(app.batch_topic(*names), name=ROLE)(normalize)
    app.timer(_RELOAD)(reload)
    return app


async def _acknowledge(event: Any, delivered: asyncio.Future[None]) -> None:
    """The next batch is parsed while this one travels."""
    try:
        await delivered
    except Exception as error:
        fatal(f"{ROLE}: not delivered: {error!r}")
    event.ack()
