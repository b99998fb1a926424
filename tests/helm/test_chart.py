"""The chart by its properties: what every pod must have, whatever the values, and which values are refused how."""

import re
import tomllib
from typing import Any

import pytest
import yaml
from helm_kit import BASE, CHART, ROOT, Doc, environment, helm, merged, only, pods, refusal, render
from value_sets import SETS

from agents.settings import Settings
from cli import main
from cli.run import ROLES
from ingest.amqp.settings import AmqpSettings
from ingest.settings import IngestSettings
from sinks.elasticsearch.connection import ElasticsearchSecurity
from topics.environment import variables_of
from topics.kafka.client import KafkaSecurity

KNOWN = {
    name
    for kind in (Settings, IngestSettings, AmqpSettings, KafkaSecurity, ElasticsearchSecurity)
    for name in variables_of(kind)
}


_PASSWORD = {"passwordSecret": {"name": "password"}}


@pytest.fixture(scope="module", params=sorted(SETS))
def docs(request: pytest.FixtureRequest) -> list[Doc]:
    return render(SETS[request.param])


def test_helm_finds_nothing_to_complain_of() -> None:
    for values in SETS.values():
        done = helm("lint", "--strict", str(CHART), "--quiet", values=_without_operators(merged(BASE, values)))
        assert (done.returncode, done.stdout) == (0, "")


def _without_operators(values: Doc) -> Doc:
    """helm lint knows no cluster."""
    off = {name: {"enabled": False} for name in ("podMonitor", "prometheusRule")}
    return merged(values, off | {role: {"autoscaling": {"type": "none"}} for role in ("normalize", "index")})


def test_every_pod_meets_the_restricted_standard(docs: list[Doc]) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/"""
    for role, spec in pods(docs):
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"] is True, role
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {key for volume in spec["volumes"] for key in volume} <= {"name", "emptyDir", "secret", "configMap"}


def test_no_pod_gets_a_token_or_service_links(docs: list[Doc]) -> None:
    for _, spec in pods(docs):
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    for doc in docs:
        if doc["kind"] == "ServiceAccount":
            assert doc["automountServiceAccountToken"] is False


def test_every_variable_is_a_setting_and_none_is_a_secret(docs: list[Doc]) -> None:
    for role, spec in pods(docs):
        (container,) = spec["containers"]
        names = {one["name"] for one in container["env"]}
        assert names - {"HOME"} <= KNOWN, role
        assert not [name for name in names if re.search(r"(PASSWORD|SECRET|TOKEN|API_KEY)$", name)]
        folders = {mount["mountPath"] for mount in container["volumeMounts"]}
        for value in environment(spec).values():
            if value.startswith("/etc/"):
                assert {value, value.rpartition("/")[0]} & folders


def test_values_are_taken_by_the_settings_they_are_for(docs: list[Doc], monkeypatch: pytest.MonkeyPatch) -> None:
    for _, spec in pods(docs):
        with monkeypatch.context() as context:
            for name, value in environment(spec).items():
                context.setenv(name, value)
            for kind in (Settings, IngestSettings, AmqpSettings, KafkaSecurity, ElasticsearchSecurity):
                kind()


def test_every_command_is_one_we_have(docs: list[Doc]) -> None:
    commands = set(main.Commands().list_commands(None))
    for role, spec in pods(docs):
        (container,) = spec["containers"]
        assert container["command"] == ["ogrewatch"]
        first, *rest = container["args"]
        assert first in commands or (first, *rest) == ("ingest", "amqp")
        if first == "run":
            assert rest == [role]
            assert role in ROLES


def test_every_image_names_a_version(docs: list[Doc]) -> None:
    for _, spec in pods(docs):
        assert re.fullmatch(r"[\w./-]+(:\d[\w.]*|@sha256:[0-9a-f]{64})", spec["containers"][0]["image"])


def test_servers_have_probes_on_a_port_that_they_declare(docs: list[Doc]) -> None:
    for role, spec in pods(docs):
        (container,) = spec["containers"]
        if role in ("setup", "test"):
            assert "livenessProbe" not in container
            continue
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
        assert [probe["path"] for probe in probes] == ["/livez", "/livez", "/readyz"]
        said = environment(spec)
        assert {ports[probe["port"]] for probe in probes} == {int(said["OGREWATCH_METRICS_PORT"])} == {9464}


def test_a_role_has_less_time_to_stop_than_kubernetes_gives_it(docs: list[Doc]) -> None:
    for _, spec in pods(docs):
        (container,) = spec["containers"]
        waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert spec["terminationGracePeriodSeconds"] >= waits + float(environment(spec)["OGREWATCH_GRACE"]) + 10


def test_memory_is_limited_to_what_is_asked_for_and_processors_are_not(docs: list[Doc]) -> None:
    for _, spec in pods(docs):
        resources = spec["containers"][0]["resources"]
        assert resources["limits"] == {"memory": resources["requests"]["memory"]}


def test_selectors_find_the_pods_they_are_for(docs: list[Doc]) -> None:
    labels = [doc["spec"]["template"]["metadata"]["labels"] for doc in docs if "template" in doc.get("spec", {})]
    for doc in docs:
        for selector in _selectors(doc):
            found = [one for one in labels if selector.items() <= one.items()]
            assert found, f"{doc['kind']} {doc['metadata']['name']}"


def _selectors(doc: Doc) -> list[dict[str, str]]:
    spec = doc.get("spec", {})
    if doc["kind"] == "Service":
        return [spec["selector"]]
    if doc["kind"] in ("PodDisruptionBudget", "PodMonitor", "Deployment", "StatefulSet"):
        return [spec["selector"]["matchLabels"]]
    if doc["kind"] == "NetworkPolicy":
        peers = [peer for rule in spec["ingress"] for peer in rule.get("from", ())]
        ours = [peer["podSelector"]["matchLabels"] for peer in peers if "podSelector" in peer]
        return [spec["podSelector"]["matchLabels"], *ours]
    return []


def test_ports_of_services_and_policies_are_those_of_their_pods(docs: list[Doc]) -> None:
    for doc in docs:
        if doc["kind"] == "Service":
            role = doc["spec"]["selector"]["app.kubernetes.io/component"]
            spec = next(spec for name, spec in pods(docs) if name == role)
            names = {one["name"] for one in spec["containers"][0]["ports"]}
            assert {port["targetPort"] for port in doc["spec"]["ports"]} <= names


def test_a_scaled_workload_has_no_replicas_and_a_fixed_one_has(docs: list[Doc]) -> None:
    scaled = {
        doc["spec"]["scaleTargetRef"]["name"]
        for doc in docs
        if doc["kind"] in ("ScaledObject", "HorizontalPodAutoscaler")
    }
    for doc in docs:
        if doc["kind"] in ("Deployment", "StatefulSet"):
            assert ("replicas" in doc["spec"]) == (doc["metadata"]["name"] not in scaled)


def test_names_fit_however_long_the_release_is() -> None:
    for doc in render({"amqp": {"enabled": True, "url": "amqp://h/"}}, release="r" * 53):
        assert len(doc["metadata"]["name"]) <= 63


def test_each_role_is_one_workload() -> None:
    docs = render({"amqp": {"enabled": True, "url": "amqp://h/"}})
    kinds = {doc["metadata"]["name"]: doc["kind"] for doc in docs if doc["kind"] in ("Deployment", "StatefulSet")}
    roles = {f"ogrewatch-{role}" for role in (*ROLES, "amqp")}
    assert kinds == {name: "StatefulSet" if name == "ogrewatch-count" else "Deployment" for name in roles}


def test_count_workers_are_named_by_their_own_addresses_and_found_by_one_name() -> None:
    docs = render({})
    service = only(docs, "Service", "ogrewatch-count")
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
    specs = dict(pods(docs))
    advertised = next(
        one for one in specs["count"]["containers"][0]["env"] if one["name"] == "OGREWATCH_COUNT_ADVERTISE"
    )
    assert advertised["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert environment(specs["web"])["OGREWATCH_QUERY_URL"] == "http://ogrewatch-count.logs.svc:6066"
    secrets = {role: environment(specs[role]).get("OGREWATCH_SECRET_FILE") for role in specs}
    assert {role for role, file in secrets.items() if file} == {"count", "web"}


def test_the_set_up_runs_before_pods_of_a_version_and_the_test_when_asked() -> None:
    docs = render({})
    job, test = only(docs, "Job"), only(docs, "Pod")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]  # it would not be there yet
    assert job["spec"]["activeDeadlineSeconds"] > 120
    assert test["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert test["spec"]["containers"][0]["args"][0] == "ping"


def test_keda_scales_by_the_lag_of_the_whole_group_up_to_one_topics_partitions() -> None:
    docs = render(SETS["keda"])
    scaled = only(docs, "ScaledObject", "ogrewatch-normalize")["spec"]
    (trigger,) = scaled["triggers"]
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert trigger["metadata"]["consumerGroup"] == "prod.ogrewatch-normalize"
    assert "topic" not in trigger["metadata"]
    assert scaled["maxReplicaCount"] == 12
    assert only(docs, "ScaledObject", "ogrewatch-index")["spec"]["triggers"][0]["metadata"]["lagThreshold"] == "2000000"
    login = only(docs, "TriggerAuthentication")["spec"]
    assert {one["parameter"] for one in login["secretTargetRef"]} == {"password", "ca"}
    assert only(docs, "ConfigMap")["data"] == {"tls": "enable", "sasl": "scram_sha512", "username": "ogrewatch"}


def test_what_comes_in_and_goes_out_is_listed() -> None:
    docs = render({})
    everyone = only(docs, "NetworkPolicy", "ogrewatch")["spec"]
    assert {port["port"] for rule in everyone["egress"] for port in rule["ports"]} == {53, 9092, 9200}
    assert {port["port"] for rule in everyone["ingress"] for port in rule["ports"]} == {9464}
    count = only(docs, "NetworkPolicy", "ogrewatch-count")["spec"]["ingress"]
    assert [port["port"] for rule in count for port in rule["ports"]] == [6066]
    assert count[0]["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "web"


def test_the_page_knows_the_names_it_is_asked_by() -> None:
    spec = dict(pods(render(SETS["public"])))["web"]
    names = environment(spec)["OGREWATCH_WEB_HOSTS"].split(",")
    assert {"ogrewatch-web", "ogrewatch-web.logs.svc", "logs.example.org"} <= set(names)


def test_rules_for_prometheus_are_those_that_are_tested() -> None:
    source = (ROOT / "stack" / "prometheus" / "ogrewatch.rules.yml").read_text()
    assert (CHART / "files" / "ogrewatch.rules.yml").read_text() == source, "copy it to helm/ogrewatch/files"
    assert only(render(SETS["monitored"]), "PrometheusRule")["spec"] == yaml.safe_load(source)


def test_it_is_the_version_of_the_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (project, project)


def test_a_release_by_another_name_says_whose_it_is() -> None:
    assert only(render({}, release="prod"), "StatefulSet")["metadata"]["name"] == "prod-ogrewatch-count"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kafka": {"bootstrap": ""}}, "kafka.bootstrap: say where Kafka is"),
        ({"elasticsearch": {"urls": ""}}, "elasticsearch.urls: say where Elasticsearch is"),
        ({"auth": {"secretName": ""}}, "auth.secretName: name a Secret"),
        ({"image": {"tag": "latest"}}, "image.tag: latest is not a version"),
        ({"count": {"replicas": 5}}, "count.replicas: 5 is more than the 4 partitions"),
        ({"index": {"autoscaling": {"type": "hpa", "max": 9}}}, "index.autoscaling.max: 9 is more than the 4"),
        ({"web": {"autoscaling": {"type": "hpa", "min": 7}}}, "web.autoscaling: min is more than max"),
        ({"kafka": {"protocol": "SASL_SSL"}}, "SASL_SSL needs kafka.user and kafka.passwordSecret.name"),
        ({"kafka": {"user": "u"}}, "a user needs kafka.protocol to be SASL_SSL"),
        ({"kafka": {"caSecret": {"name": "ca"}}}, "certificates need kafka.protocol"),
        (
            {"kafka": {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "user": "u", **_PASSWORD}},
            "PLAIN would show the password",
        ),
        ({"elasticsearch": {"user": "u"}}, "one needs the other"),
        (
            {"elasticsearch": {"apiKeySecret": {"name": "k"}, "user": "u", "passwordSecret": {"name": "p"}}},
            "an API key or a password, not both",
        ),
        ({"amqp": {"enabled": True}}, "amqp.url: say where RabbitMQ is"),
        ({"web": {"ingress": {"enabled": True}}}, "web.ingress.host: say by which name"),
        ({"kafka": {"bootstrp": "h:1"}}, "additional properties 'bootstrp' not allowed"),
        ({"kafka": {"bootstrap": "kafka"}}, "kafka/bootstrap"),
        ({"elasticsearch": {"urls": "https://elastic:secret@h:9200"}}, "elasticsearch/urls"),
        ({"partitions": 0}, "partitions"),
        ({"logLevel": "LOUD"}, "logLevel"),
        ({"settings": {"OGREWATCH_KAFKA_PASSWORD": "x"}}, "OGREWATCH_KAFKA_PASSWORD"),
        ({"settings": {"ZONE": "UTC"}}, "ZONE"),
        ({"image": {"digest": "sha256:12"}}, "digest"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_a_sentence(values: Doc, said: str) -> None:
    assert said in refusal(merged(BASE, values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"normalize": {"autoscaling": {"type": "keda"}}}, "KEDA is not installed"),
        ({"podMonitor": {"enabled": True}}, "the Prometheus operator is not installed"),
        ({"prometheusRule": {"enabled": True}}, "the Prometheus operator is not installed"),
    ],
)
def test_what_a_cluster_lacks_is_told(values: dict[str, Any], said: str) -> None:
    assert said in refusal(merged(BASE, values), operators=False)
