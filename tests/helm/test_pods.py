"""The pods of the chart as processes on two machines: from the installation to the first document, with pods deleted,
restarted one after the other, and a machine killed. Nothing is lost, nothing is counted twice.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from elasticsearch import ApiError, Elasticsearch
from helm_kit import BASE, merged, render
from pod_kit import Cluster, Pod, can_be_read_only, environment_of, own_network

from cli.run import ROLES
from ingest.tokens import LOOK, SEND, TokenFile
from topics.catalogue import RAW

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]

PARTITIONS = 4
_LINE = "<38>1 {when} host{host} sshd 4242 - - Failed password for invalid user u{n} from 198.51.100.{a} port 4242 ssh2"


@dataclass
class Site:
    """An installation that runs."""

    cluster: Cluster
    store: Elasticsearch
    namespace: str
    send: str
    look: str
    first_document: float
    sent: int = 0
    pings: int = 1
    failures: list[str] = field(default_factory=list)

    def documents(self) -> int:
        """How many documents a search finds."""
        try:
            self.store.indices.refresh(index=f"logs-ogrewatch.*-{self.namespace}", ignore_unavailable=True)
            return int(self.store.count(index=f"logs-ogrewatch.*-{self.namespace}", ignore_unavailable=True)["count"])
        except ApiError:
            return -1

    def lines(self, number: int) -> None:
        """Send failed logins through whichever ingest takes them, again until they are accepted."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = "\n".join(_LINE.format(when=when, host=n % 7, n=n % 50, a=n % 200) for n in range(number)) + "\n"
        self.cluster.until(lambda: any(self._accepts(pod, lines) for pod in self.cluster.of("ingest")))
        self.sent += number

    def _accepts(self, pod: Pod, lines: str) -> bool:
        url = f"http://{pod.address}:{pod.port('http')}/lines"
        headers = {"Authorization": f"Bearer {self.send}", "Content-Type": "text/plain"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, lines.encode(), headers), timeout=30) as answer:
                return bool(answer.status == 200)
        except ConnectionError as error:  # it may or may not have been taken: not to be sent again
            self.failures.append(f"{pod.name}: {error}")
            raise
        except OSError:
            return False

    def counts(self, pod: Pod) -> Any:
        """The page's answer about the last hour, None without one."""
        url = f"http://{pod.address}:{pod.port('http')}/api/v1/auth/ratio?window=1h"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.look}"})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.loads(answer.read())
        except OSError:
            return None

    def counted(self, pod: Pod) -> int:
        """Failed logins that the page shows; -1 when a partition is missing."""
        answer = self.counts(pod)
        return answer["total"]["failure"] if answer and not answer["partitions"]["missing"] else -1

    def exact(self, web: Pod) -> bool:
        """Whether each line is a document and a count, no more and no less."""
        return self.documents() == self.sent + self.pings and self.counted(web) == self.sent


@pytest.fixture(scope="module")
def site(kafka: str, elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, name = tmp_path_factory.mktemp("pods"), f"t{time.time_ns():x}"
    send, look = _tokens(folder / "tokens.json")
    values = merged(BASE, {
        "kafka": {"bootstrap": kafka, "prefix": f"{name}.", "replication": 1},
        "elasticsearch": {"urls": elasticsearch_url, "namespace": name},
        "partitions": PARTITIONS, "index": {"replicas": 2},
    })  # fmt: skip
    docs = render(values)
    secret = {"secret": b"5" * 64 + b"\n", "tokens.json": (folder / "tokens.json").read_bytes()}
    cluster = Cluster(docs, {"ogrewatch": secret}, folder, own_network())
    with Elasticsearch(elasticsearch_url) as store:
        try:
            begin = time.monotonic()
            assert "was created" in cluster.run_to_completion("Job")
            cluster.start()
            cluster.await_ready()
            told = cluster.run_to_completion("Pod")
            assert f"{name}.{RAW[0].name}-" in told, told
            yield Site(cluster, store, name, send, look, time.monotonic() - begin)
        finally:
            cluster.end()
            _forget(kafka, name)


def _tokens(path: Path) -> tuple[str, str]:
    tokens = TokenFile(path)
    return tuple(tokens.create(role, [topic.name for topic in RAW], role)[1] for role in (SEND, LOOK))  # type: ignore[return-value]


def _forget(kafka: str, name: str) -> None:
    client = AdminClient({"bootstrap.servers": kafka})
    ours = [topic for topic in client.list_topics(timeout=30).topics if topic.startswith(f"{name}.")]
    for future in client.delete_topics(ours).values():
        future.result(30)


def _web(site: Site, node: int = 0) -> Pod:
    return next(pod for pod in site.cluster.of("web") if pod.node == node)


def test_an_installation_stores_its_first_document_soon(site: Site, record_property: Any) -> None:
    record_property("seconds", site.first_document)
    print(f"from the set-up to the first document: {site.first_document:.1f} s, read-only: {can_be_read_only()}")
    assert site.first_document < 240


def test_a_pod_has_its_own_variables_and_nothing_else(site: Site) -> None:
    for pod in site.cluster.pods:
        assert pod.process is not None
        said = {one["name"] for one in pod.container["env"]} | {"PYTHONPATH", "OGREWATCH_TEST_HOSTS"}
        assert environment_of(pod.process.pid).keys() - said <= {"PWD", "OLDPWD", "SHLVL", "_"}, pod.name
        assert [pod.probe(kind) for kind in ("startup", "liveness", "readiness")] == [200, 200, 200]


def test_lines_become_documents_and_counts(site: Site) -> None:
    site.lines(500)
    site.cluster.until(lambda: site.exact(_web(site)))


def test_pods_that_are_deleted_lose_nothing(site: Site) -> None:
    for role in ("normalize", "count", "index"):
        site.lines(300)
        victim = site.cluster.of(role)[0]
        victim.kill()
        site.lines(300)
        victim.start()
    site.cluster.await_ready()
    site.cluster.until(lambda: site.exact(_web(site)))


def test_a_rolling_restart_of_count_interrupts_queries_shortly(site: Site, record_property: Any) -> None:
    web, done, gaps = _web(site), threading.Event(), [0.0]

    def watch() -> None:
        whole = time.monotonic()
        while not done.is_set():
            if site.counted(web) >= 0:
                whole = time.monotonic()
            gaps[0] = max(gaps[0], time.monotonic() - whole)
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for pod in reversed(site.cluster.of("count")):
            assert pod.stop() == 0
            pod.start()
            site.cluster.await_ready([pod])
    finally:
        done.set()
        watcher.join()
    record_property("pause", gaps[0])
    print(f"longest pause of live queries in a rolling restart: {gaps[0]:.1f} s")
    assert gaps[0] < 60
    site.cluster.until(lambda: site.exact(web))


def test_a_machine_that_is_lost_takes_nothing_with_it(site: Site, record_property: Any) -> None:
    site.lines(1000)
    lost = [pod for pod in site.cluster.pods if pod.node == 1]
    assert {pod.role for pod in lost} == set(ROLES)
    for pod in lost:
        pod.kill()
    begin, web = time.monotonic(), _web(site)
    site.cluster.until(lambda: site.counted(web) >= 0)
    pause = time.monotonic() - begin
    record_property("pause", pause)
    print(f"live queries were whole again after {pause:.1f} s")
    site.lines(500)
    site.cluster.until(lambda: site.exact(web))


def test_every_role_ends_in_its_time_and_leaves_nothing_behind(site: Site) -> None:
    for pod in site.cluster.pods:
        if pod.process is not None and pod.process.poll() is None:
            assert pod.stop() == 0, site.cluster.report([pod])
            home = [file for file in (pod.folder / "tmp").rglob("*") if file.is_file()]
            assert home == [], pod.name
            files = [file for file in (pod.folder / "data").rglob("*") if file.is_file()]
            assert files == [], pod.name
    assert site.failures == []
