"""The chart on a real Kubernetes API that enforces Pod Security: install, scale, upgrade, roll back, uninstall."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_kit import ControlPlane, Kubelet, require_programs, secret
from helm_kit import BASE, CACHE, CHART, merged

NAMESPACE = "/api/v1/namespaces/logs"
_LABEL = "app.kubernetes.io/instance=ogrewatch"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    require_programs()
    made = ControlPlane(tmp_path_factory.mktemp("kubernetes"))
    with made.running():
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        made.ask("/api/v1/namespaces", "POST", {"metadata": {"name": "logs", "labels": labels}})
        made.ask(f"{NAMESPACE}/secrets", "POST", secret(secret="5" * 64, **{"tokens.json": "{}"}))
        kubelet = Kubelet(made)
        kubelet.start()
        yield made
        kubelet.end()


def _values(folder: Path, **more: Any) -> str:
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(merged(BASE, more)))
    return str(path)


def _ready(plane: ControlPlane) -> dict[str, int]:
    """The number of ready pods by role."""
    found: dict[str, int] = {}
    for pod in plane.objects(f"{NAMESPACE}/pods?labelSelector={_LABEL}"):
        if any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ())):
            role = pod["metadata"]["labels"]["app.kubernetes.io/component"]
            found[role] = found.get(role, 0) + 1
    return found


def test_the_life_of_a_release(plane: ControlPlane, tmp_path: Path) -> None:
    plane.helm("install", "ogrewatch", str(CHART), "--wait", "--timeout", "4m", "-f", _values(tmp_path))
    first = {"normalize": 2, "count": 2, "detect": 2, "index": 1, "web": 2, "ingest": 2}
    assert _ready(plane) == first
    plane.helm("test", "ogrewatch", "--timeout", "2m")

    more = {"partitions": 6, "normalize": {"replicas": 4}, "settings": {"OGREWATCH_ZONE": "Europe/Rome"}}
    plane.helm("upgrade", "ogrewatch", str(CHART), "--wait", "--timeout", "4m", "-f", _values(tmp_path, **more))
    assert _ready(plane) == first | {"normalize": 4}
    pods = plane.objects(f"{NAMESPACE}/pods?labelSelector=app.kubernetes.io/component=count")
    assert {one["value"] for pod in pods for one in pod["spec"]["containers"][0]["env"]
            if one["name"] == "OGREWATCH_ZONE"} == {"Europe/Rome"}  # fmt: skip

    plane.helm("rollback", "ogrewatch", "1", "--wait", "--timeout", "4m")
    assert _ready(plane) == first
    _evictions_are_one_at_a_time(plane)

    plane.helm("uninstall", "ogrewatch", "--wait", "--timeout", "4m")
    until = time.monotonic() + 120
    while left := _left(plane):  # pods are collected a little later
        assert time.monotonic() < until, left
        time.sleep(0.5)
    assert plane.ask(f"{NAMESPACE}/secrets/ogrewatch")["data"]


def _evictions_are_one_at_a_time(plane: ControlPlane) -> None:
    """A drain of two nodes at the same time takes one pod of a role away; the next has to wait."""
    names = [
        pod["metadata"]["name"]
        for pod in plane.objects(f"{NAMESPACE}/pods?labelSelector=app.kubernetes.io/component=web")
    ]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction"}
    asked = [
        plane.refusal(f"{NAMESPACE}/pods/{name}/eviction", eviction | {"metadata": {"name": name}}) for name in names
    ]
    statuses = [status for status, _ in asked]
    assert statuses == [200, 429]


def _left(plane: ControlPlane) -> list[str]:
    """What is there of the release, but for what is run before and after it."""
    kinds = "deployments,statefulsets,services,pods,networkpolicies,poddisruptionbudgets,serviceaccounts"
    found = json.loads(plane.kubectl("get", kinds, "-n", "logs", "-l", _LABEL, "-o", "json"))["items"]
    return [one["metadata"]["name"] for one in found if not _is_hook(one)]


def _is_hook(found: dict[str, Any]) -> bool:
    return found["metadata"].get("labels", {}).get("app.kubernetes.io/component") in ("setup", "test")


def test_a_pod_that_wants_more_than_is_restricted_is_refused(plane: ControlPlane) -> None:
    """So that a chart which violates the standard would be found: its pods would be missing."""
    pod = {"metadata": {"name": "greedy"}, "spec": {"containers": [{"name": "greedy", "image": "x:1"}]}}
    status, why = plane.refusal(f"{NAMESPACE}/pods", pod)
    assert (status, "violates PodSecurity" in why) == (403, True), why


def test_objects_of_operators_are_taken_by_their_definitions(plane: ControlPlane, tmp_path: Path) -> None:
    definitions = CACHE / "kubernetes-definitions"
    if not (definitions / "complete").exists():
        pytest.skip("definitions of KEDA and the Prometheus operator: scripts/fetch-helm fetches them where Go is")
    plane.kubectl("apply", "--server-side", "-f", str(definitions))
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    more: dict[str, Any] = {name: {"enabled": True} for name in ("podMonitor", "prometheusRule")}
    more["normalize"] = {"autoscaling": {"type": "keda"}}
    plane.helm("install", "operated", str(CHART), "--dry-run=server", "-f", _values(tmp_path, **more))
    rendered = plane.helm("template", "operated", str(CHART), "--validate", "-f", _values(tmp_path, **more))
    (tmp_path / "rendered.yaml").write_text(rendered)
    taken = plane.kubectl("apply", "-n", "logs", "--dry-run=server", "-f", str(tmp_path / "rendered.yaml"))
    for kind in ("scaledobject.keda.sh", "podmonitor.monitoring.coreos.com", "prometheusrule.monitoring.coreos.com"):
        assert f"{kind}/operated-ogrewatch" in taken
