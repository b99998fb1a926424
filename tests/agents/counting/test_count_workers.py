"""Count workers on a real Kafka: exact whatever is killed, stopped or moved, and refusing what cannot be right."""

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewPartitions
from count_cluster import PARTITIONS, Cluster, until
from count_kit import START, Attempt

from agents.counting.buckets import ADDRESS
from agents.transport import FATAL
from topics.kafka.admin import create_topics

SERVICES = ("sshd", "ldap", "web")


@pytest.fixture
def cluster(kafka: str, unique: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka, unique, tmp_path)
    yield made
    made.clean()


def attempts(first: int, last: int) -> list[Attempt]:
    """Numbered attempts from two raw partitions: 97 addresses, 13 users, a minute every 300."""
    return [
        Attempt(
            number % 2, number, number // 300, number / 5, ("failure", "failure", "success", "unknown")[number % 4],
            SERVICES[number % 3], f"198.51.100.{number % 97}", f"user{number % 13}",
        )
        for number in range(first, last)
    ]  # fmt: skip


def by(what: str, counted: list[Attempt]) -> Counter[tuple[str, str]]:
    return Counter((getattr(attempt, what), attempt.outcome) for attempt in counted)


def counted(cluster: Cluster, expected: list[Attempt]) -> bool:
    return all(cluster.rows(what) == by(what, expected) for what in ("service", "address", "user"))


@pytest.mark.kill
def test_counts_are_exact_through_kills_pauses_and_moves(cluster: Cluster) -> None:
    first, second = cluster.start(), cluster.start()
    cluster.feed(attempts(0, 4_000))
    until(lambda: cluster.rows("service"))
    cluster.kill(first)
    cluster.feed(attempts(3_000, 8_000))  # a normalize that was killed writes some of it again
    third = cluster.start()
    until(lambda: counted(cluster, attempts(0, 8_000)) and cluster.owners() == 2, 120)
    second.send_signal(signal.SIGSTOP)
    cluster.feed(attempts(8_000, 12_000))
    time.sleep(8)  # longer than its session: the third takes over
    cluster.feed(attempts(12_000, 14_000))
    second.send_signal(signal.SIGCONT)
    until(lambda: counted(cluster, attempts(0, 14_000)))
    third.terminate()
    cluster.feed(attempts(14_000, 16_000))
    assert third.wait(30) == 0
    cluster.kill(second)
    cluster.start()
    until(lambda: counted(cluster, attempts(0, 16_000)))
    expected = Counter((START + a.minute * 60, a.service, a.outcome) for a in attempts(0, 16_000))
    until(lambda: cluster.windows() == expected)


@pytest.mark.kill
@pytest.mark.parametrize("where", ["before", "after"])
def test_a_worker_that_wakes_in_a_flush_publishes_nothing_of_its_own(cluster: Cluster, where: str) -> None:
    asleep = cluster.directory / "asleep"
    sleeper = cluster.start((sys.executable, str(Path(__file__).with_name("count_sleeper.py")), where, str(asleep)))
    cluster.feed(attempts(0, 3_000))
    until(asleep.exists)
    cluster.feed(attempts(3_000, 3_100))  # what its successor publishes is more
    cluster.start()
    expected = Counter((START + a.minute * 60, a.service, a.outcome) for a in attempts(0, 3_100))
    until(lambda: cluster.windows() == expected)
    sleeper.send_signal(signal.SIGCONT)
    joined = cluster.log.stat().st_size
    until(lambda: cluster.log.stat().st_size > joined)
    until(lambda: counted(cluster, attempts(0, 3_100)))
    cluster.feed(attempts(3_100, 3_200))
    expected.update((START + a.minute * 60, a.service, a.outcome) for a in attempts(3_100, 3_200))
    until(lambda: cluster.windows() == expected)
    assert cluster.contradictions() == []


def test_answers_keep_the_contract(cluster: Cluster) -> None:
    worker = cluster.start()
    cluster.feed([
        Attempt(0, 0, 0, 10, "failure", address="203.0.113.9", user="root", host="web1"),
        Attempt(0, 1, 0, 11, "failure", address="203.0.113.9", user="admin", host="web2", number=5),
        Attempt(0, 2, 1, 70, "success", address="203.0.113.9", user="admin", host="web2"),
        Attempt(0, 3, 1, 71, "failure", address="203.0.113.8"),
        Attempt(0, 4, 1, 72, "success", address="203.0.113.7"),
        Attempt(0, 5, -3_000, 73, "failure", address="203.0.113.9"),
    ])  # fmt: skip
    cluster.feed([Attempt(0, 6, 1, 72, "success", "sudo", "", "deploy")], "process")
    until(
        lambda: (
            cluster.rows("service") == Counter({("sshd", "failure"): 7, ("sshd", "success"): 2, ("sudo", "success"): 1})
        )
    )
    url = f"http://127.0.0.1:{cluster.port}"
    assert cluster.ask("/v1/owners") == {"of": PARTITIONS, "workers": {url: [0, 1]}}
    span = f"since={START}&until={START + 120}"
    found = cluster.ask(f"/v1/attackers?{span}&limit=1")
    assert (found["partitions"], found["of"]) == ([0, 1], PARTITIONS)
    (worst,) = found["attackers"]
    assert (found["total"], found["broke_in_total"]) == (2, 1)
    assert (worst["address"], worst["failures"], worst["successes"]) == ("203.0.113.9", 6, 1)
    assert (worst["users"], worst["user_count"], worst["users_more"]) == (["root", "admin"], 2, False)
    assert (worst["hosts"], worst["first_seen"], worst["last_seen"]) == (["web1", "web2"], START + 1, START + 61)
    one = cluster.ask(f"/v1/attackers/203.0.113.9?{span}")["attacker"]
    assert one["minutes"] == [[START, 0, 6], [START + 60, 1, 0]]
    assert cluster.ask(f"/v1/attackers/192.0.2.1?{span}")["attacker"] is None
    first_minute = cluster.ask(f"/v1/attempts?since={START}&until={START + 60}&by=user&limit=1")
    assert first_minute["rows"] == {"admin": {"success": 0, "failure": 5, "unknown": 0}}
    assert first_minute["truncated"] is True
    parts = cluster.ask("/v1/state")["partitions"].values()
    assert sum(part["total"] for part in parts) == 10
    assert sum(part["late"] for part in parts) == 1
    for bad in ("/v1/attempts?by=host", "/v1/attackers?since=yesterday"):
        with pytest.raises(HTTPError) as refused:
            cluster.ask(bad)
        assert refused.value.code == 400
    worker.terminate()
    assert worker.wait(30) == 0


@pytest.fixture
def counted_and_stopped(cluster: Cluster) -> Cluster:
    """A table with a past."""
    worker = cluster.start()
    cluster.feed(attempts(0, 500))
    until(lambda: counted(cluster, attempts(0, 500)))
    worker.terminate()
    assert worker.wait(30) == 0
    return cluster


def refusal(cluster: Cluster) -> str:
    """What a worker says that refuses to count."""
    assert cluster.start().wait(40) == FATAL
    return cluster.log.read_text()


def test_an_entry_that_is_gone_is_refused(counted_and_stopped: Cluster) -> None:
    cluster = counted_and_stopped
    entry = next(m for m in cluster.read(cluster.changelog) if m.value() and (m.key() or b"")[5] == ADDRESS)
    producer = Producer({"bootstrap.servers": cluster.servers})
    producer.produce(cluster.changelog, None, entry.key(), entry.partition() or 0)
    producer.flush()
    assert "attempts by service, address and user" in refusal(cluster)


def test_a_changelog_that_is_gone_is_refused(counted_and_stopped: Cluster) -> None:
    cluster = counted_and_stopped
    cluster.admin.delete_topics([cluster.changelog])[cluster.changelog].result(30)
    assert f"{cluster.changelog} has lost records" in refusal(cluster)


def test_a_topic_created_again_is_refused(counted_and_stopped: Cluster) -> None:
    cluster, topic = counted_and_stopped, f"{counted_and_stopped.prefix}raw.syslog"
    cluster.admin.delete_topics([topic])[topic].result(30)
    create_topics(cluster.servers, prefix=cluster.prefix, partitions=PARTITIONS, replication=1)
    assert f"{topic} was deleted and created again" in refusal(cluster)


@pytest.mark.kill
def test_partitions_that_are_added_at_work_end_a_worker(cluster: Cluster) -> None:
    worker, topic = cluster.start(), f"{cluster.prefix}events.authentication"
    cluster.feed(attempts(0, 100))
    until(lambda: counted(cluster, attempts(0, 100)))
    cluster.admin.create_partitions([NewPartitions(topic, PARTITIONS + 1)])[topic].result(30)
    assert worker.wait(40) == FATAL
    assert f"topic {topic} has {PARTITIONS + 1} partitions, and had {PARTITIONS}" in cluster.log.read_text()


def test_what_was_deleted_before_it_was_counted_is_passed_over(counted_and_stopped: Cluster) -> None:
    cluster, topic = counted_and_stopped, f"{counted_and_stopped.prefix}events.authentication"
    cluster.feed(attempts(500, 600))
    cluster.delete(topic)
    cluster.feed(attempts(600, 700))
    cluster.start()
    until(lambda: counted(cluster, [*attempts(0, 500), *attempts(600, 700)]))
    assert "were deleted before they were counted" in cluster.log.read_text()
    cluster.kill(cluster.workers[-1])
    cluster.start()
    until(lambda: counted(cluster, [*attempts(0, 500), *attempts(600, 700)]))
