"""A role and the topics it reads in, its Faust app out: what all roles have in common."""

from collections.abc import Iterable

from agents.metrics import Metrics, Standing
from agents.settings import Settings
from agents.transport import BatchApp
from topics.catalogue import Topic

_BATCH_BYTES = 32 << 20  # handed out and not acknowledged, over all partitions


def role_app(role: str, settings: Settings, topics: Iterable[Topic]) -> BatchApp:
    """The app of a role, with a consumer group and a folder of its own; it reads `topics` in batches.

    How far it is shows in the role's metrics.
    """
    app = BatchApp(
        f"{settings.prefix}ogrewatch-{role}",
        broker=settings.kafka,
        batch_topics=[settings.prefix + topic.name for topic in topics],
        batch_max_bytes=_BATCH_BYTES,
        partitions=settings.partitions,
        datadir=settings.data_dir / "workers" / role,
    )
    metrics = Metrics(role)
    app.on_committed = metrics.committed
    metrics.watch(lambda: [Standing(tp.topic, tp.partition, *numbers) for tp, *numbers in app.accounts()])
    return app
