"""Asks the broker whether a member of a group still owns its partitions, because only the broker knows.

A broker accepts a commit under a member id and a generation only from a member of the current generation. An accepted
commit therefore proves that the generation had not ended: whoever is given the partitions next gets
them later, and reads all that was durable before the commit was sent.
https://kafka.apache.org/protocol#The_Messages_OffsetCommit
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aiokafka import errors
from aiokafka.protocol.commit import OffsetCommitRequest
from faust.types import TP

from agents.state.log_identity import Position

_NOT_OWNER = errors.UnknownMemberIdError, errors.IllegalGenerationError, errors.RebalanceInProgressError


async def commit_as_owner(coordinator: Any, generation: int, positions: Mapping[TP, Position]) -> bool:
    """Commit positions under a generation and no other; True once the broker has accepted them.

    False when it has not, or did not answer: ask again, unless the partitions have moved by then. Raises `KafkaError`
    for what will not pass, such as a missing authorization. Unlike aiokafka's own commit it leaves the membership
    alone, which may be that of a later generation when the answer comes.
    """
    if coordinator.generation != generation or not positions:
        return False
    wanted = defaultdict(list)
    for tp, position in positions.items():
        wanted[tp.topic].append((tp.partition, position.offset, position.metadata()))
    request = OffsetCommitRequest(
        coordinator.group_id, generation, coordinator.member_id,
        OffsetCommitRequest.DEFAULT_RETENTION_TIME, list(wanted.items()),
    )  # fmt: skip
    try:
        response = await coordinator._send_req(request)
        return _taken(code for _, partitions in response.topics for _, code in partitions)
    except errors.KafkaError as error:
        if error.retriable or isinstance(error, _NOT_OWNER):
            return False
        raise


def _taken(codes: Any) -> bool:
    """Raise the first error among the codes of the partitions."""
    for code in codes:
        if code:
            raise errors.for_code(code)
    return True
