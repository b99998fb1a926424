"""Makes the Faust app of a role: its consumer group, its topics, its folder and its metrics."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from agents.metrics import Membership, Metrics, Standing
from agents.settings import Settings
from agents.transport import BatchApp, ContinuityCheck
from topics.catalogue import group_of, read_by

_BATCH_BYTES = 32 << 20  # most bytes handed out and not acknowledged, over all partitions
_GC_THRESHOLDS = 50_000, 20, 50  # allocations: entries are many and never form cycles; looking took 10 % of the time
TRUNCATION_HELP = (
    "Nothing of that was processed. To go on, stop all workers and run `ogrewatch repair`; docs/truncated-logs.md says "
    "what it does."
)
"""What a worker adds to its last message when Kafka has lost the end of a log."""


def role_app(role: str, settings: Settings, *, batch_bytes: int = _BATCH_BYTES, **faust_settings: Any) -> BatchApp:
    """Make the app of a role. It reads the role's topics in batches, and reports its progress in the role's metrics.

    `batch_bytes` limits what is handed out and not acknowledged; `faust_settings` are passed to Faust.
    """
    metrics = Metrics(role)
    app = BatchApp(
        group_of(role, settings.prefix),
        broker=settings.kafka,
        batch_topics=read_by(role, settings.prefix),
        batch_max_bytes=batch_bytes,
        partitions=settings.partitions,
        datadir=settings.data_dir / "workers" / role,
        truncation_help=TRUNCATION_HELP,
        on_committed=metrics.committed,
        on_hop=metrics.hop,
        **faust_settings,
    )
    metrics.reads(app.batch_topics)
    metrics.watch(
        lambda: [Standing(tp.topic, tp.partition, *numbers) for tp, numbers in app.accounts()],
        lambda: Membership(not app.missing(), app.assignments, app.recovery_seconds),
    )
    return app


def add_flushed_agent(
    app: BatchApp,
    role: str,
    take: Callable[[Any], Awaitable[None]],
    flush: Callable[[], Coroutine[Any, Any, None]],
    close: Callable[[], object] = int,
) -> None:
    """Add an agent that takes one batch after the other, while `flush` acknowledges them once they are durable.

    `close` is called at its end; the default does nothing. Objects of such roles are many and live long, so garbage is
    looked for less often.
    """
    check_continuity = ContinuityCheck()

    async def agent(stream: Any) -> None:
        gc.set_threshold(*_GC_THRESHOLDS)
        flushing = asyncio.create_task(flush())
        try:
            async for event in stream.events():
                check_continuity(event.message, event.value)
                await take(event)
                await asyncio.sleep(0)
        finally:
            flushing.cancel()
            close()

    app.agent(app.batch_topic(*app.batch_topics), name=role)(agent)
