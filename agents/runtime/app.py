"""Makes the Faust app of a role: its consumer group, its topics, its folder and its metrics."""

from typing import Any

from agents.metrics import Membership, Metrics, Standing
from agents.settings import Settings
from agents.transport import BatchApp
from topics.catalogue import group_of, read_by

_BATCH_BYTES = 32 << 20  # most bytes handed out and not acknowledged, over all partitions
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
