"""What can be said of the container files without an engine: syntax, references, versions, and loopback only."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.settings import Settings
from ingest.settings import IngestSettings
from stack.cache import ELASTICSEARCH, KAFKA

ROOT = Path(__file__).parents[2]
OURS = ("setup", "worker", "demo")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.kafka.yml").read_text())
    return loaded


def test_every_port_is_on_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_is_published_is_where_our_roles_listen(compose: dict[str, Any]) -> None:
    ours = {port.rpartition(":")[2] for port in compose["services"]["worker"]["ports"]}
    assert ours == {str(Settings().web_port), str(IngestSettings().port)}


def test_what_is_depended_on_exists_and_can_be_waited_for(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, wish in service.get("depends_on", {}).items():
            assert wish["condition"] != "service_healthy" or "healthcheck" in services[name]


def test_named_volumes_are_declared(compose: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])}
    assert used == compose["volumes"].keys()


def test_settings_are_ones_we_have(compose: dict[str, Any]) -> None:
    names = {name for service in OURS for name in compose["services"][service]["environment"]}
    ours = {f"OGREWATCH_{field.upper()}" for field in Settings.model_fields}
    assert names <= ours | {f"OGREWATCH_INGEST_{field.upper()}" for field in IngestSettings.model_fields}


def test_kibana_gets_our_objects(compose: dict[str, Any]) -> None:
    assert compose["services"]["dashboards"]["command"] == ["kibana", "install", "http://kibana:5601"]
    assert "kibana" in compose["services"]["dashboards"]["depends_on"]


def test_our_addresses_are_those_the_servers_have(compose: dict[str, Any]) -> None:
    settings = compose["services"]["worker"]["environment"]
    listeners = compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"://{settings['OGREWATCH_KAFKA']}" in listeners
    assert settings["OGREWATCH_ELASTICSEARCH"] == "http://elasticsearch:9200"


def test_the_images_are_the_versions_we_test_with(compose: dict[str, Any]) -> None:
    images = {name: compose["services"][name]["image"].split(":")[1] for name in ("kafka", "elasticsearch", "kibana")}
    assert f"kafka_2.13-{images['kafka']}.jar" in KAFKA.checksums()
    assert f"elasticsearch-{images['elasticsearch']}.zip" in ELASTICSEARCH.checksums()
    assert images["kibana"] == images["elasticsearch"]


def test_the_image_gets_every_package_and_file_it_is_built_from() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert allowed == packages | {"pyproject.toml", "requirements.lock", project["project"]["readme"], "LICENSE"}
    assert packages <= {found.name for found in ROOT.iterdir()}


def test_the_image_runs_a_python_we_support() -> None:
    bases = [line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")]
    assert len(set(bases)) == 1
    assert bases[0].startswith("python:3.11-")
