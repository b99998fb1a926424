"""The agents' last line of defence, and where keys go."""

import logging
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from agents.transport import FATAL, Batch, ContinuityCheck, MissedBatch, RateLimitFilter, partition_of


def batch(after: int, last: int) -> Batch:
    record: Any = SimpleNamespace(offset=last)
    return Batch([record], after)


def message(generation: int) -> SimpleNamespace:
    return SimpleNamespace(tp=("t", 0), generation_id=generation)


def test_batches_in_order_pass() -> None:
    check_continuity = ContinuityCheck()
    check_continuity(message(1), batch(9, 19))
    check_continuity(message(1), batch(19, 30))
    check_continuity(message(1), batch(19, 30))  # read again after a seek
    check_continuity(message(2), batch(99, 120))  # others were at work in between


def test_a_missed_batch_is_noticed() -> None:
    check_continuity = ContinuityCheck()
    check_continuity(message(1), batch(9, 19))
    with pytest.raises(MissedBatch, match="follows 25"):
        check_continuity(message(1), batch(25, 30))


def test_fatal_ends_the_process_with_one_line() -> None:
    start = "import logging, agents.transport as t\nlogging.basicConfig()\n"
    code = f"{start}try: t.abort_process('no more')\nfinally: print('x')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (FATAL, "")
    assert ended.stderr.splitlines() == ["CRITICAL:ogrewatch.transport:fatal: no more"]


@given(st.binary(max_size=40), st.integers(1, 64))
def test_keys_go_where_java_and_aiokafka_send_them(key: bytes, partitions: int) -> None:
    everyone = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everyone, everyone)


def test_clients_of_kafka_do_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(seldom := RateLimitFilter(interval=60.0))
    for number in range(3):
        logging.getLogger("aiokafka.conn").error("gone")
        logging.getLogger("ogrewatch.kafka").error("FAIL [%s]: gone", number)
        logging.getLogger("agents").error("ours")
    logging.getLogger("ogrewatch.kafka").error("FATAL: another kind")
    caplog.handler.removeFilter(seldom)
    assert [record.name for record in caplog.records if record.name != "agents"] == [
        "aiokafka.conn", "ogrewatch.kafka", "ogrewatch.kafka",
    ]  # fmt: skip
    assert len(caplog.records) == 6
