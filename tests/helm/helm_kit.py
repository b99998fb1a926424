"""Renders the chart as helm does, and finds things in what comes out."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from lacking import lacking

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "ogrewatch"
CACHE = Path(
    os.environ.get("OGREWATCH_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ogrewatch"
)
HELM, KUBECTL = CACHE / "helm-2.0.1" / "helm", CACHE / "helm-2.0.1" / "kubectl"
OPERATORS = (
    "keda.sh/v1alpha1/ScaledObject",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
)

Doc = dict[str, Any]

BASE: Doc = {
    "kafka": {"bootstrap": "kafka-1.example:9092,kafka-2.example:9092"},
    "elasticsearch": {"urls": "https://elasticsearch.example:9200"},
    "auth": {"secretName": "ogrewatch"},
}
"""The least that has to be said."""


def require_helm() -> None:
    """Skip a test, or fail it where nothing may be missing, when helm was not fetched."""
    if not HELM.exists():
        lacking("helm: scripts/fetch-helm fetches it")


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run helm on values."""
    require_helm()
    text = yaml.safe_dump(dict(values or {}))
    command = [str(HELM), *arguments, *(["--values", "-"] if values is not None else [])]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)


def render(values: Mapping[str, Any], *more: str, release: str = "ogrewatch", operators: bool = True) -> list[Doc]:
    """The documents of the chart with these values beside `BASE`. Fails the test with helm's words."""
    done = helm(*_arguments(release, operators), *more, values=merged(BASE, values))
    if done.returncode:
        pytest.fail(done.stderr)
    return [doc for doc in yaml.safe_load_all(done.stdout) if doc]


def refusal(values: Mapping[str, Any], *, operators: bool = True) -> str:
    """What helm says about values that it must refuse."""
    done = helm(*_arguments("ogrewatch", operators), values=values)
    assert done.returncode == 1, "these values were taken"
    return done.stderr


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Doc:
    """Values laid over others, as helm does it."""
    result = dict(one)
    for name, value in other.items():
        below = result.get(name)
        result[name] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def only(docs: list[Doc], kind: str, name: str = "") -> Doc:
    """The one document of a kind, and of a name if one is given."""
    (found,) = (doc for doc in docs if doc["kind"] == kind and name in ("", doc["metadata"]["name"]))
    return found


def pods(docs: list[Doc]) -> Iterator[tuple[str, Doc]]:
    """Each role with the spec of its pods."""
    for doc in docs:
        if doc["kind"] == "Pod":
            yield "test", doc["spec"]
        elif "template" in doc.get("spec", {}):
            template = doc["spec"]["template"]
            yield template["metadata"]["labels"]["app.kubernetes.io/component"], template["spec"]


def environment(spec: Doc) -> dict[str, str]:
    """The variables of a pod that have a value."""
    return {one["name"]: one["value"] for one in spec["containers"][0]["env"] if "value" in one}


def _arguments(release: str, operators: bool) -> list[str]:
    api = [word for name in (OPERATORS if operators else ()) for word in ("--api-versions", name)]
    return ["template", release, str(CHART), "--namespace", "logs", "--kube-version", "1.36.0", *api]
