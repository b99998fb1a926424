"""The ledger sees when closed minutes, documents and live counts tell of different attempts; on the real servers."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from elasticsearch import Elasticsearch
from installation_kit import Place, place, until

from operations.ledger import attempts
from operations.ledger.attempts import Attempts
from sinks.elasticsearch.templates import attempts_name
from topics.kafka.reader import Reader
from topics.records.stats import decode, encode

SSHD, LDAP = (1_700_000_040, "sshd", "failure"), (1_700_000_040, "ldap", "success")


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        yield found


def _attempts(**changes: object) -> Attempts:
    both = Counter({SSHD: 3, LDAP: 1})
    return replace(Attempts(0, 60, both.copy(), both.copy()), **changes)  # type: ignore[arg-type]


def test_what_is_the_same_is_right() -> None:
    assert _attempts().wrongs == []
    assert _attempts(live=Counter({SSHD: 3, LDAP: 1})).wrongs == []


@pytest.mark.parametrize("change", [{"windows": Counter({SSHD: 2, LDAP: 1})}, {"windows": Counter({SSHD: 2, LDAP: 2})}])
def test_minutes_that_differ_are_wrong_once_all_has_arrived(change: dict[str, Counter[object]]) -> None:
    (first, *_) = _attempts(**change).wrongs[::-1]
    assert first == "2023-11-14T22:14Z 'sshd' failure: documents tell of 3 attempts, closed minutes of 2."
    assert _attempts(**change, settled=False).wrongs == []


def test_live_counts_that_differ_are_wrong() -> None:
    (said,) = _attempts(live=Counter({SSHD: 4, LDAP: 1})).wrongs
    assert said.endswith("closed minutes of 3, and count workers 4.")


def test_an_id_with_two_values_is_wrong_at_once() -> None:
    assert _attempts(contradictory=["a-0-60-1-sshd"], settled=False).wrongs == [
        "Closed minute a-0-60-1-sshd was published with different values."
    ]


def _lines(number: int) -> list[tuple[int, bytes]]:
    stamp = time.strftime("%b %e %H:%M:%S", time.gmtime(time.time() - 600))
    text = "<38>%s web1 sshd[7]: Failed password for root from 192.0.2.%d port 4711 ssh2"
    return [(n % 2, (text % (stamp, n % 250)).encode()) for n in range(number)]


@pytest.mark.kill
def test_it_compares_closed_minutes_with_documents_and_live_counts(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_STILL", 3.0)
    here.send(_lines(500))
    with here.worker("normalize"), here.worker("index"), here.worker("count"):
        until(lambda: _windows(here), 120)
        seen = until(lambda: found if (found := here.json("ledger"))["attempts"]["live"] is not None else None, 120)
        assert (seen["balanced"], seen["attempts"]["differing"]) == (True, 0)
        assert [seen["attempts"][name] for name in ("documents", "windows", "live")] == [500, 500, 500]
        with Elasticsearch(here.elasticsearch) as client:
            gone = client.search(index=attempts_name(here.name))["hits"]["hits"][0]
            client.delete(index=gone["_index"], id=gone["_id"], refresh=True)
        off = here.json("ledger", status=1)
        assert off["attempts"]["differing"] == 1
        assert "closed minutes of" in off["wrongs"][0]
    again = here.json("ledger", status=1)["attempts"]
    assert (again["live"], again["differing"]) == (None, 1)
    _publish_twice(here)
    assert "was published with different values" in here.json("ledger", status=1)["wrongs"][0]


def _windows(here: Place) -> bool:
    """Whether all attempts are in closed minutes."""
    with Elasticsearch(here.elasticsearch) as client:
        client.indices.refresh(index=attempts_name(here.name), ignore_unavailable=True)
        sums = {"all": {"sum": {"field": "ogrewatch.auth.attempts"}}}
        answer = client.search(index=attempts_name(here.name), size=0, aggs=sums, ignore_unavailable=True)
        return bool(answer.get("aggregations", {}).get("all", {}).get("value") == 500)


def _publish_twice(here: Place) -> None:
    topic = f"{here.prefix}stats.authentication"
    with Reader(here.kafka) as reader:
        message = next(iter(list(reader.read(topic, reader.bounds(topic)))))
    window = decode(message.value())
    producer = Producer({"bootstrap.servers": here.kafka})
    producer.produce(topic, encode(replace(window, failure=window.failure + 1)), message.key(), message.partition())
    assert producer.flush(30) == 0
