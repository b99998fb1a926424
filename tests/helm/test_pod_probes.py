"""Every pod of the chart as a process, while Kafka and Elasticsearch are away: it is alive and not ready, says why as
JSON, and ends in its time, having written nothing outside its volumes.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from helm_kit import BASE, merged, render
from pod_kit import Cluster, environment_of, own_network

from cli.run import ROLES
from ingest.tokens import LOOK, SEND, TokenFile
from stack.ports import HOST
from topics.catalogue import RAW

_NOWHERE = f"{HOST}:1"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("pods")
    tokens = TokenFile(folder / "tokens.json")
    for role in (SEND, LOOK):
        tokens.create(role, [topic.name for topic in RAW], role)
    one = {role: {"replicas": 1} for role in ROLES}
    servers = {"kafka": {"bootstrap": _NOWHERE}, "elasticsearch": {"urls": f"http://{_NOWHERE}"}}
    secret = {"secret": b"5" * 64 + b"\n", "tokens.json": tokens.path.read_bytes()}
    made = Cluster(render(merged(BASE, one | servers)), {"ogrewatch": secret}, folder, own_network())
    made.start()
    yield made
    made.end()


def test_every_role_is_alive_and_those_that_need_kafka_are_not_ready(cluster: Cluster) -> None:
    cluster.until(lambda: all(pod.probe("liveness") == 200 for pod in cluster.pods))
    assert {pod.role for pod in cluster.pods} == set(ROLES)
    for pod in cluster.pods:
        assert pod.probe("startup") == 200
        assert pod.probe("readiness") == (200 if pod.role == "web" else 503), pod.name


def test_a_role_has_the_variables_of_its_pod_and_no_others(cluster: Cluster) -> None:
    for pod in cluster.pods:
        assert pod.process is not None
        said = {one["name"] for one in pod.container["env"]} | {"PYTHONPATH", "OGREWATCH_TEST_HOSTS"}
        assert environment_of(pod.process.pid).keys() - said <= {"PWD", "OLDPWD", "SHLVL", "_"}, pod.name


def test_every_role_ends_in_its_time_and_leaves_nothing_behind(cluster: Cluster) -> None:
    for pod in cluster.pods:
        assert pod.stop() == 0, cluster.report([pod])
        assert _files(pod.folder / "tmp") == [], pod.name
        assert _files(pod.folder / "data") == [], pod.name


def test_every_line_of_a_log_is_json_that_names_its_role(cluster: Cluster) -> None:
    for pod in cluster.pods:
        lines = [json.loads(line) for line in pod.log.read_text().splitlines()]
        assert {line["role"] for line in lines} <= {pod.role}, pod.name
        assert lines or pod.role == "web"


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
