"""A role in, its Faust app out: what all roles have in common."""

from agents.metrics import Metrics, Standing
from agents.settings import Settings
from agents.transport import BatchApp
from topics.catalogue import group_of, read_by

_BATCH_BYTES = 32 << 20  # handed out and not acknowledged, over all partitions
TRUNCATION_HELP = (
    "Nothing of that was processed. To go on, stop all workers and run `ogrewatch repair`; docs/truncated-logs.md says "
    "what it does."
)
"""What a worker says when it ends because of that."""


def role_app(role: str, settings: Settings) -> BatchApp:
    """The app of a role, with a consumer group and a folder of its own; it reads its topics in batches.

    How far it is shows in the role's metrics.
    """
    app = BatchApp(
        group_of(role, settings.prefix),
        broker=settings.kafka,
        batch_topics=read_by(role, settings.prefix),
        batch_max_bytes=_BATCH_BYTES,
        partitions=settings.partitions,
        datadir=settings.data_dir / "workers" / role,
    )
    app.truncation_help = TRUNCATION_HELP
    metrics = Metrics(role)
    app.on_committed = metrics.committed
    metrics.watch(lambda: [Standing(tp.topic, tp.partition, *numbers) for tp, *numbers in app.accounts()])
    return app
