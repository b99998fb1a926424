"""Connects Faust to Kafka in batches: what one fetch brings of one partition is one Faust event.

Everything the program does with Kafka goes through here. `BatchApp` is the Faust app of a role, `run` its process,
`GaplessProducer` the producer (which works without Faust, too). `ContinuityCheck` and `abort_process` end a process
that would otherwise skip records.
"""

from agents.transport.app import BatchApp
from agents.transport.batch import Batch, BatchSchema, Record
from agents.transport.kafka_producer import GaplessProducer
from agents.transport.log_filter import RateLimitFilter
from agents.transport.ordering import FATAL, ContinuityCheck, MissedBatch, abort_process
from agents.transport.partitioner import partition_of
from agents.transport.worker import run, worker
from topics.catalogue import MAX_RECORD
from topics.kafka.producer import Outgoing

__all__ = [
    "FATAL",
    "MAX_RECORD",
    "Batch",
    "BatchApp",
    "BatchSchema",
    "ContinuityCheck",
    "GaplessProducer",
    "MissedBatch",
    "Outgoing",
    "RateLimitFilter",
    "Record",
    "abort_process",
    "partition_of",
    "run",
    "worker",
]
