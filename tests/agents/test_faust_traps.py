"""What agents keep away from, how their apps are set up, and that what we override of Faust is still what it was.

`docs/faust.md` lists the traps. `tests/agents/transport/test_faust_plain.py` shows what Faust does without us.
"""

import ast
import hashlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.consumer import group_coordinator
from faust.stores import memory
from faust.transport import consumer as faust_consumer
from mode import CrashingSupervisor
from mode.services import ServiceCallbacks

import agents
from agents.runtime.app import role_app
from agents.settings import Settings
from agents.transport import BatchApp
from agents.transport.kafka_producer import GaplessProducer

ROOT = Path(agents.__file__).parent
PAGE = ROOT.parent / "docs" / "faust.md"
UPSTREAM = ("aiokafka.", "faust.", "mode.")

AVOIDED = {
    "GlobalTable": "with several workers some of them never have all keys",
    "SetGlobalTable": "as GlobalTable",
    "hopping": "windows are closed on the first partition only, and never again after a recovery",
    "noack_take": "a batch of events stalls for ever when one cannot be decoded",
    "on_window_close": "it runs for the first partition only",
    "relative_to_now": "it is the end of the newest window, not the clock",
    "relative_to_stream": "as relative_to_now",
    "table_route": "it hashes the JSON of a key: one look-up in four goes to the wrong worker",
    "take": "it loses what it has gathered when the agent fails",
    "tumbling": "as hopping",
}
"""Names of Faust's that no agent may use, and why."""

DIGESTS = {
    "aiokafka.consumer.fetcher.FetchResult.check_assignment": "2ffd6c1af9bc",
    "aiokafka.consumer.fetcher.FetchResult.has_more": "10119aeb1b75",
    "aiokafka.consumer.fetcher.Fetcher._create_fetch_waiter": "65046fcd40e7",
    "aiokafka.consumer.fetcher.Fetcher._proc_fetch_request": "ace04969424f",
    "aiokafka.consumer.fetcher.Fetcher.close": "eb8e175ce6f8",
    "aiokafka.consumer.fetcher.Fetcher.fetched_records": "e20ce0c8117f",
    "aiokafka.consumer.fetcher.PartitionRecords._unpack_records": "047f7fc3f005",
    "aiokafka.consumer.group_coordinator.GroupCoordinator._coordination_routine": "07e581f2646d",
    "aiokafka.consumer.group_coordinator.GroupCoordinator._send_req": "ca4ba17474e1",
    "aiokafka.consumer.group_coordinator.GroupCoordinator.fetch_committed_offsets": "c83e0cafbf1e",
    "faust.app.base.App._consumer_wait_empty": "73ba99b95ca0",
    "faust.app.base.App._new_producer_transport": "4ebfd7e867b3",
    "faust.app.base.App._new_transport": "11beddacb9fe",
    "faust.app.base.App._on_partitions_assigned": "c9c5485eb273",
    "faust.app.base.App._on_partitions_revoked": "c1abd58dcb37",
    "faust.app.base.App.stream": "cd1516c6f647",
    "faust.serializers.schemas.Schema.loads_key": "2e1724f7a6a7",
    "faust.serializers.schemas.Schema.loads_value": "d5a89118ae85",
    "faust.stores.base.Store.on_rebalance": "9e0734fd1e93",
    "faust.stores.memory.Store.on_recovery_completed": "92833ba38c9e",
    "faust.tables.base.Collection._changelog_topic_name": "2c44f5e74a2a",
    "faust.tables.base.Collection._new_store": "0cad007da65f",
    "faust.tables.base.Collection.on_start": "818773d64c11",
    "faust.tables.manager.TableManager.on_start": "b82e759be50c",
    "faust.tables.recovery.Recovery._resume_streams": "fbe0f747b84c",
    "faust.tables.recovery.Recovery._seek_offsets": "d76d5a8f46fa",
    "faust.tables.recovery.Recovery._slurp_changelogs": "7e3120dad754",
    "faust.tables.recovery.Recovery._wait": "768af810dce8",
    "faust.tables.recovery.Recovery.on_rebalance": "31030bc1807f",
    "faust.tables.recovery.Recovery.on_recovery_completed": "895e7c415a4d",
    "faust.transport.consumer.Consumer._add_gap": "f1cc1db634f5",
    "faust.transport.consumer.Consumer._commit_offsets": "86b3e9b0aec7",
    "faust.transport.consumer.Consumer._drain_messages": "8f35dd7a1114",
    "faust.transport.consumer.Consumer._filter_tps_with_pending_acks": "cccdca32d241",
    "faust.transport.consumer.Consumer._new_offset": "2b29afe4dd9a",
    "faust.transport.consumer.Consumer._should_commit": "91d8eb1ef6bf",
    "faust.transport.consumer.Consumer.ack": "5548cf0f7584",
    "faust.transport.consumer.Consumer.commit_and_end_transactions": "cdc86f2fe363",
    "faust.transport.consumer.Consumer.on_partitions_assigned": "c07feb1175f7",
    "faust.transport.consumer.Consumer.on_partitions_revoked": "652177e770ee",
    "faust.transport.consumer.Consumer.perform_seek": "2b4ceebd23de",
    "faust.transport.consumer.Consumer.seek": "7c61d5bd222a",
    "faust.transport.consumer.ThreadDelegateConsumer._commit": "91c201528438",
    "faust.transport.consumer.ThreadDelegateConsumer._seek": "3343eefa6aa4",
    "faust.transport.consumer.ThreadDelegateConsumer.seek_wait": "87115444b6fc",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._commit": "78c931ecfa8d",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._create_consumer": "8259d08bb468",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread.earliest_offsets": "469bc24dff2a",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread.highwaters": "5e07f495f86e",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread.on_start": "675d03707bbe",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread.on_thread_stop": "cdbbe53230d2",
    "faust.transport.drivers.aiokafka.Consumer._new_consumer_thread": "8fd0d41b1514",
    "faust.transport.drivers.aiokafka.Consumer.verify_event_path": "883ce70ac0a6",
    "faust.transport.drivers.aiokafka.Producer.on_start": "a1601325eb84",
    "faust.transport.drivers.aiokafka.Producer.on_stop": "49f75b1337f5",
}
"""What we override, and what we use that is private, as it was when we last read it."""


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages([str(ROOT)], "agents."):
        yield import_module(found.name)


def _classes() -> Iterator[type]:
    for module in _modules():
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                yield kind


def _overridden() -> Iterator[Callable[..., Any]]:
    """What our classes put in place of what Faust, mode and aiokafka do; `ServiceCallbacks` is made for that."""
    for kind in _classes():
        for name, ours in vars(kind).items():
            if name.startswith("__") or not (inspect.isfunction(ours) or hasattr(ours, "fun")):
                continue
            for base in kind.__mro__[1:]:
                if name in vars(base) and base is not ServiceCallbacks and base.__module__.startswith(UPSTREAM):
                    yield getattr(vars(base)[name], "fun", vars(base)[name])
                    break


_PRIVATE: tuple[Callable[..., Any], ...] = (
    aiokafka_fetcher.FetchResult.check_assignment,
    aiokafka_fetcher.FetchResult.has_more,
    aiokafka_fetcher.Fetcher._create_fetch_waiter,
    aiokafka_fetcher.Fetcher._proc_fetch_request,
    aiokafka_fetcher.Fetcher.close,
    aiokafka_fetcher.Fetcher.fetched_records,
    aiokafka_fetcher.PartitionRecords._unpack_records,
    faust.app.base.App._on_partitions_assigned,
    faust.app.base.App._on_partitions_revoked,
    faust_consumer.Consumer._add_gap,
    faust_consumer.Consumer._commit_offsets,
    faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._commit,
    group_coordinator.GroupCoordinator._coordination_routine,
    group_coordinator.GroupCoordinator._send_req,
    group_coordinator.GroupCoordinator.fetch_committed_offsets,
    memory.Store.on_recovery_completed,
)
"""What is not overridden, and matters: we use it, stand beside it, or rely on its faults being out of our way."""


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _digest(function: Callable[..., Any]) -> str:
    return hashlib.sha256(textwrap.dedent(inspect.getsource(function)).encode()).hexdigest()[:12]


FUNCTIONS = {_name(function): function for function in (*_overridden(), *_PRIVATE)}


def test_the_digests_are_of_all_that_we_override() -> None:
    assert sorted(DIGESTS) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_what_we_override_is_what_it_was(name: str) -> None:
    assert _digest(FUNCTIONS[name]) == DIGESTS.get(name), (
        f"{name} is another one than the one that agents/ was written against. Read what changed: is what we do in its"
        " place still right, and still needed? docs/faust.md says why it is there. Then write the new digest here."
    )


def test_every_override_is_explained() -> None:
    page = PAGE.read_text()
    missing = {name for name in FUNCTIONS if f"`{name.rpartition('.')[2]}`" not in page}
    assert not missing


def test_every_proof_is_there() -> None:
    tests = list((ROOT.parent / "tests").rglob("test_*.py"))
    found = {path.stem for path in tests}
    found |= {name for path in tests for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert not set(re.findall(r"`(test_\w+)`", PAGE.read_text())) - found


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            yield str(path.relative_to(ROOT)), node


def test_agents_keep_away_from_what_fails() -> None:
    used = {(path, node.attr) for path, node in _nodes() if isinstance(node, ast.Attribute)}
    ours = {("count.py", "take"), ("detect.py", "take"), ("normalize.py", "take")}
    assert used > ours  # it does look
    assert not [f"{path} uses {name}: {AVOIDED[name]}" for path, name in used - ours if name in AVOIDED]


def test_topics_are_read_in_batches_only() -> None:
    others = {"state/log_identity.py"}  # which ask a record of librdkafka's for its topic
    assert {path for path, node in _nodes() if _calls(node, "topic")} - others == {"transport/app.py"}


def _calls(node: ast.AST, name: str) -> bool:
    """Whether a node is a call of something of this name."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return name in (getattr(called, "id", None), getattr(called, "attr", None))


def test_roles_have_their_apps_from_one_place() -> None:
    assert {path for path, node in _nodes() if _calls(node, "BatchApp")} == {"runtime/app.py"}


@pytest.fixture
async def app(tmp_path: Path) -> BatchApp:
    """The app of a role."""
    return role_app("index", Settings(kafka="127.0.0.1:1", data_dir=tmp_path))


async def test_roles_are_set_up_for_a_hard_life(app: BatchApp) -> None:
    conf: Any = app.conf
    assert conf.agent_supervisor is CrashingSupervisor
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.consumer_auto_offset_reset == "earliest"
    assert conf.broker_session_timeout == 10
    assert conf.broker_max_poll_interval >= 86_400
    assert conf.table_standby_replicas == 0
    assert not any((conf.stream_wait_empty, conf.autodiscover, conf.web_enabled))
    assert conf.topic_disable_leader
    assert type(app.transport).Consumer.__module__ == "agents.transport.consumer"
    assert str(conf.store) == "memory:"


def test_faust_would_choose_otherwise() -> None:
    conf: Any = faust.App("plain", broker="kafka://127.0.0.1:1").conf
    assert conf.agent_supervisor is not CrashingSupervisor
    assert conf.broker_session_timeout == 60
    assert conf.table_standby_replicas == 1


async def test_what_is_produced_is_safe() -> None:
    conf = GaplessProducer("127.0.0.1:1")._conf
    assert conf["partitioner"] == "murmur2_random"
    assert (conf["acks"], conf["enable.idempotence"], conf["enable.gapless.guarantee"]) == ("all", True, True)
    assert conf["delivery.timeout.ms"] == 2**31 - 1


async def test_streams_of_batches_acknowledge_nothing_by_themselves(app: BatchApp) -> None:
    stream = app.stream(app.batch_topic(*app.batch_topics))
    assert not stream.enable_acks
