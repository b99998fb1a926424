"""Kafka records in batches, in and out of Faust: one fetch of one partition is one Faust event.

Everything the program does with Kafka goes through here. `BatchApp` is the Faust app of a role, `run` its process,
`GaplessProducer` the producer (which also serves without Faust), `ContinuityCheck` and `abort_process` the agents'
last line of defence.
"""

from agents.transport.app import BatchApp
from agents.transport.batch import Batch, BatchSchema, Record
from agents.transport.kafka_producer import GaplessProducer, Outgoing
from agents.transport.log_filter import RateLimitFilter
from agents.transport.ordering import FATAL, ContinuityCheck, MissedBatch, abort_process
from agents.transport.partitioner import partition_of
from agents.transport.worker import run, worker
from topics.catalogue import MAX_RECORD

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
