"""Metrics as Prometheus gets to see them."""

import time
import urllib.request
from contextlib import closing
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

import web.metrics  # noqa: F401  the web role's metrics are explained in the same place
from agents.metrics import REGISTRY, Membership, Metrics, Standing
from stack.ports import HOST
from topics.health import Health, HealthServer

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"ogrewatch_{name}", labels)


def test_calls_add_up_by_role_and_topic(unique: str) -> None:
    metrics = Metrics(unique)
    metrics.consumed("raw.syslog", 500)
    metrics.consumed("raw.syslog", 20)
    metrics.consumed("raw.events", 7)
    metrics.produced("events.web", 510)
    metrics.dead_lettered("raw.syslog", 4)
    metrics.filtered("raw.syslog", 6)
    metrics.retried(429)
    metrics.retried(None)
    assert value("records_consumed_total", role=unique, topic="raw.syslog") == 520
    assert value("records_consumed_total", role=unique, topic="raw.events") == 7
    assert value("records_produced_total", role=unique, topic="events.web") == 510
    assert value("records_dead_lettered_total", role=unique, topic="raw.syslog") == 4
    assert value("records_filtered_total", role=unique, topic="raw.syslog") == 6
    assert value("elasticsearch_retries_total", role=unique, status="429") == 1
    assert value("elasticsearch_retries_total", role=unique, status="none") == 1


def test_a_role_made_twice_goes_on_counting(unique: str) -> None:
    Metrics(unique).counted(3, late=1)
    Metrics(unique).counted(2)
    Metrics(unique).written(stored=5, present=1, rejected=2)
    assert value("records_counted_total", role=unique) == 5
    assert value("records_late_total", role=unique) == 1
    assert value("records_stored_total", role=unique) == 5
    assert value("records_present_total", role=unique) == 1
    assert value("records_rejected_total", role=unique) == 2


def test_a_partition_that_moved_away_is_gone(unique: str) -> None:
    standings = [Standing("raw.syslog", 0, 2, 4096, 10, 1.5), Standing("raw.syslog", 3, 0, 0, 0)]
    Metrics(unique).watch(lambda: standings, lambda: Membership(True, 3, 0.25))
    assert [value(name, role=unique) for name in ("ready", "rebalances_total", "recovery_seconds")] == [1, 3, 0.25]
    at = {"role": unique, "topic": "raw.syslog", "partition": "0"}
    assert (value("batches_in_flight", **at), value("bytes_in_flight", **at), value("lag_records", **at)) == (
        2,
        4096,
        10,
    )
    assert value("seconds_behind", **at) == 1.5
    del standings[0]
    assert value("lag_records", **at) is None
    assert value("lag_records", **at | {"partition": "3"}) == 0


def test_a_process_shows_its_metrics_on_its_health_port(unique: str) -> None:
    Metrics(unique).committed()
    server = HealthServer(HOST, 0, Health(), REGISTRY)
    with closing(server), urllib.request.urlopen(f"http://{HOST}:{server.server_port}/metrics") as response:
        families = {family.name: family for family in text_string_to_metric_families(response.read().decode())}
    commits = {one.labels["role"]: one.value for one in families["ogrewatch_last_commit_timestamp_seconds"].samples}
    assert commits[unique] > 1e9
    assert [one.labels.keys() for one in families["ogrewatch_build_info"].samples] == [{"version", "python"}]
    assert "process_resident_memory_bytes" in families


def test_a_fresh_role_has_committed_when_it_began(unique: str) -> None:
    before = time.time()
    Metrics(unique)
    began = value("last_commit_timestamp_seconds", role=unique)
    assert began is not None
    assert before <= began <= time.time()


def test_hops_and_writes_are_timed(unique: str) -> None:
    metrics = Metrics(unique)
    metrics.hop("taken", 0.2)
    metrics.hop("done", -3.0)  # a broker whose clock is ahead
    metrics.wrote(0.7)
    assert value("hop_seconds_bucket", role=unique, stage="taken", le="0.25") == 1
    assert value("hop_seconds_sum", role=unique, stage="done") == 0
    assert value("elasticsearch_write_seconds_count", role=unique) == 1


def test_the_manual_explains_every_metric() -> None:
    ours = {family.name for family in REGISTRY.collect() if family.name.startswith("ogrewatch_")}
    text = DOCS.read_text()
    assert {name for name in ours if f"`{name}" not in text} == set()
    assert len(ours) > 15
