"""Notes the leader epochs of fetched records, which aiokafka does not hand on.

Kafka writes the epoch of the leader to every batch of records; it grows with every new leader (KIP-320). Records of a
new epoch are what a consumer has to look back for: the new leader's log may be another one.
https://kafka.apache.org/documentation/#recordbatch
"""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.protocol.fetch import FetchRequest

from agents.state.log_identity import NO_EPOCH

_BATCH = struct.Struct(">qiiB")  # base offset, length, leader epoch, format
_BATCH_OVERHEAD, _MAGIC = 12, 2  # bytes before what the length counts; the format that has epochs


class LeaderEpochs:
    """The epochs of what was fetched last of each partition, as offsets from which on they hold."""

    def __init__(self) -> None:
        self._epochs: dict[tuple[str, int], list[tuple[int, int]]] = {}

    def listen(self, client: Any) -> None:
        """Note the epochs in all fetch responses of an aiokafka client from now on."""
        send = client.send

        async def listening(node: int, request: Any, **options: Any) -> Any:
            response = await send(node, request, **options)
            if isinstance(request, FetchRequest):
                for topic, partitions in response.topics:
                    for number, *_, records in partitions:
                        self._epochs[topic, number] = list(_epochs(records or b""))
            return response

        client.send = listening

    def at(self, tp: tuple[str, int], offset: int) -> int:
        """The epoch of the record at an offset, `NO_EPOCH` if it is unknown."""
        return next((epoch for begin, epoch in reversed(self._epochs.get(tp, ())) if begin <= offset), NO_EPOCH)


def _epochs(records: bytes) -> Iterator[tuple[int, int]]:
    """Yield offset and leader epoch of each batch whose epoch differs from the epoch of the batch before."""
    at, last = 0, None
    while at + _BATCH.size <= len(records):
        offset, length, epoch, magic = _BATCH.unpack_from(records, at)
        epoch = epoch if magic == _MAGIC else NO_EPOCH
        if epoch != last:
            yield offset, epoch
        at, last = at + _BATCH_OVERHEAD + length, epoch
