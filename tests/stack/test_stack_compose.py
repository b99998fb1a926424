"""What can be said of the container files without an engine: syntax, references, versions, and loopback only."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.settings import Settings
from cli.run import ROLES
from ingest.settings import IngestSettings
from stack.cache import ELASTICSEARCH, KAFKA

ROOT = Path(__file__).parents[2]
OURS = ("setup", "demo", *ROLES)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.kafka.yml").read_text())
    return loaded


def test_every_port_is_on_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_is_published_is_where_our_roles_listen(compose: dict[str, Any]) -> None:
    ours = [compose["services"][role]["ports"] for role in ("web", "ingest")]
    assert [port.rpartition(":")[2] for (port,) in ours] == [str(Settings().web_port), str(IngestSettings().port)]


def test_every_role_is_a_service_that_is_asked_whether_it_is_ready(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name: services[name]["command"] for name in ROLES} == {role: ["run", role] for role in ROLES}
    for role in ROLES:
        assert services[role]["read_only"] is True
        said = services[role]["environment"]
        assert f":{said['OGREWATCH_METRICS_PORT']}/readyz" in services[role]["healthcheck"]["test"][-1]
        assert int(services[role]["stop_grace_period"].rstrip("s")) > Settings().grace + 10


def test_the_page_and_the_counts_share_a_secret_and_a_name(compose: dict[str, Any]) -> None:
    count, page = (compose["services"][role]["environment"] for role in ("count", "web"))
    assert count["OGREWATCH_SECRET"] == page["OGREWATCH_SECRET"]
    assert len(count["OGREWATCH_SECRET"]) >= 32
    assert page["OGREWATCH_QUERY_URL"] == f"http://{count['OGREWATCH_COUNT_ADVERTISE']}:{Settings().count_port}"


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
    settings = compose["services"]["normalize"]["environment"]
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
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert {line.split()[1] for line in lines if line.startswith("FROM ")} == {"${BASE}"}
    (base,) = (line.partition("=")[2] for line in lines if line.startswith("ARG BASE="))
    assert base.startswith("python:3.11-")


def test_the_image_runs_as_nobody_and_without_a_shell() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert 'ENTRYPOINT ["ogrewatch"]' in lines
