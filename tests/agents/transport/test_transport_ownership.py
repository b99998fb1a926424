"""A broker takes commits from current members only, whatever the member believes; on a real Kafka."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.types import TP

from agents.state.log_identity import Position
from agents.transport.ownership import commit_as_owner


async def _member(kafka: str, topic: str) -> Any:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    consumer: Any = AIOKafkaConsumer(topic, bootstrap_servers=kafka, group_id=topic, enable_auto_commit=False)
    await consumer.start()
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=100)
    return consumer


def _as(coordinator: Any, **beliefs: Any) -> Any:
    """The same member with other beliefs."""
    names = ("group_id", "generation", "member_id", "_send_req")
    mine = {name: getattr(coordinator, name) for name in names if name not in beliefs}
    return SimpleNamespace(**mine, **beliefs)


async def test_a_commit_is_taken_under_the_current_generation_only(kafka: str, unique: str) -> None:
    consumer = await _member(kafka, unique)
    try:
        coordinator, offsets = consumer._coordinator, {TP(unique, 0): Position(7)}
        now = coordinator.generation
        assert await commit_as_owner(coordinator, now, offsets)
        (committed,) = (await consumer._coordinator.fetch_committed_offsets(offsets)).values()
        assert committed.offset == 7
        assert not await commit_as_owner(_as(coordinator, generation=now - 1), now - 1, offsets)
        assert not await commit_as_owner(_as(coordinator, generation=now + 1), now + 1, offsets)
        assert not await commit_as_owner(_as(coordinator, member_id="nobody"), now, offsets)
        assert not await commit_as_owner(coordinator, now - 1, offsets)  # nobody need be asked
        assert not await commit_as_owner(coordinator, now, {})  # a broker would say nothing about the member
        assert await commit_as_owner(coordinator, now, offsets)  # and it is a member still
    finally:
        await consumer.stop()


async def test_no_answer_proves_nothing_and_what_will_not_pass_is_raised() -> None:
    beliefs = SimpleNamespace(group_id="group", generation=3, member_id="me")
    for error in (errors.RequestTimedOutError, errors.NotCoordinatorForGroupError, errors.KafkaConnectionError):
        assert not await commit_as_owner(_as(beliefs, _send_req=_raising(error)), 3, {TP("topic", 0): Position(7)})
    refusing = _as(beliefs, _send_req=_raising(errors.GroupAuthorizationFailedError))
    with pytest.raises(errors.GroupAuthorizationFailedError):
        await commit_as_owner(refusing, 3, {TP("topic", 0): Position(7)})


def _raising(error: type[Exception]) -> Any:
    async def send(_request: object) -> None:
        raise error

    return send
