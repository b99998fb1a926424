"""Every document of the chart against the schemas of Kubernetes, KEDA and the Prometheus operator.

Of Kubernetes' own kinds the oldest version that the chart allows and the newest that is known; misspelt fields count.
"""

from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from helm_kit import CACHE, Doc, render
from value_sets import SETS

VERSIONS = ("1.30", "1.36")
DEFINITIONS = CACHE / "kubernetes-definitions"
_OPERATED = ("keda.sh/", "monitoring.coreos.com/")


class _Loader(yaml.CSafeLoader):
    """Reads definitions, in which a bare = is a text."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


@cache
def _definitions() -> dict[tuple[str, str], Any]:
    """The schemas of the operators' kinds, which refuse unknown fields. Skips the test where they were not fetched."""
    if not (DEFINITIONS / "complete").exists():
        pytest.skip("definitions of KEDA and the Prometheus operator: scripts/fetch-helm fetches them where Go is")
    found = {}
    for file in DEFINITIONS.glob("*.yaml"):
        spec = yaml.load(file.read_text(), _Loader)["spec"]
        for version in spec["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = _closed(schema)
    return found


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if (
        closed.get("type") == "object"
        and "properties" in closed
        and not closed.get("x-kubernetes-preserve-unknown-fields")
    ):
        closed.setdefault("additionalProperties", False)
    return closed


@pytest.fixture(scope="module", params=sorted(SETS))
def docs(request: pytest.FixtureRequest) -> list[Doc]:
    return render(SETS[request.param])


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(docs: list[Doc], version: str) -> None:
    for doc in docs:
        if not doc["apiVersion"].startswith(_OPERATED):
            kubernetes_validate.validate(doc, version, strict=True)


@pytest.mark.parametrize("name", ["keda", "monitored"])
def test_operators_know_every_field(name: str) -> None:
    found = [doc for doc in render(SETS[name]) if doc["apiVersion"].startswith(_OPERATED)]
    assert found
    for doc in found:
        jsonschema.Draft202012Validator(_definitions()[doc["apiVersion"], doc["kind"]]).validate(doc)


def test_a_misspelt_field_is_found() -> None:
    (doc,) = (doc for doc in render({}) if doc["kind"] == "StatefulSet")
    doc["spec"]["template"]["spec"]["enableServiceLink"] = False
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(doc, VERSIONS[-1], strict=True)
    (scaled, *_) = (doc for doc in render(SETS["keda"]) if doc["kind"] == "ScaledObject")
    scaled["spec"]["triggers"][0]["metadata"]["lagThreshold"] = 5
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(_definitions()[scaled["apiVersion"], scaled["kind"]]).validate(scaled)
