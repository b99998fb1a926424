"""Clients and servers: those that fit talk to each other, those that do not are told why, in a sentence and in time."""

import asyncio
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient
from certificates import authority, signed
from confluent_kafka import KafkaError
from elasticsearch.exceptions import SSLError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from secured import PASSWORD, USER, Site

from agents.transport.credentials import credentials
from operations.process import command_line
from sinks.elasticsearch import connection as elasticsearch
from topics.errors import AccessRefused
from topics.kafka import client as kafka
from topics.kafka.client import KafkaSecurity

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def well(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The servers, and settings with which all is well."""
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    return site


def _with_certificate(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_KAFKA_CERTIFICATE", str(site.client.certificate))
    monkeypatch.setenv("OGREWATCH_KAFKA_PRIVATE_KEY", str(site.client.key))
    for name in ("USER", "PASSWORD_FILE"):
        monkeypatch.delenv(f"OGREWATCH_KAFKA_{name}")


@pytest.mark.parametrize(
    ("protocol", "mechanism"),
    [
        ("SASL_SSL", "SCRAM-SHA-256"),
        ("SASL_SSL", "SCRAM-SHA-512"),
        ("SASL_SSL", "PLAIN"),
        ("SASL_PLAINTEXT", "SCRAM-SHA-512"),
        ("SSL", "SCRAM-SHA-512"),
    ],
)
async def test_both_clients_of_kafka_get_in(
    well: Site, monkeypatch: pytest.MonkeyPatch, protocol: str, mechanism: str
) -> None:
    monkeypatch.setenv("OGREWATCH_KAFKA_PROTOCOL", protocol)
    monkeypatch.setenv("OGREWATCH_KAFKA_MECHANISM", mechanism)
    if protocol == "SASL_PLAINTEXT":
        monkeypatch.delenv("OGREWATCH_KAFKA_CA")
    if protocol == "SSL":
        _with_certificate(well, monkeypatch)
    servers = well.kafka.servers(protocol)
    assert kafka.answers(servers)
    client = AIOKafkaClient(bootstrap_servers=servers, **credentials_to_aiokafka_auth(credentials()))
    await client.bootstrap()
    await client.close()
    await asyncio.sleep(0.1)  # for the last words of TLS


@pytest.mark.parametrize(
    ("protocol", "setting", "value", "sentence"),
    [
        ("SASL_SSL", "USER", "stranger", "refuses user 'stranger' (SASL authentication error:"),
        ("SASL_SSL", "CA", "strange.crt", "cannot be trusted (certificate verify failed): "),
        ("SASL_SSL", "CA", "absent.crt", "absent.crt cannot be used (No such file or directory)"),
        ("SASL_SSL", "PASSWORD_FILE", "/nowhere", "/nowhere cannot be read (No such file or directory)."),
        ("SASL_SSL", "PASSWORD", PASSWORD, "are both set: one of them is meant."),
        ("SASL_SSL", "PROTOCOL", "TLS", "OGREWATCH_KAFKA_PROTOCOL: Input should be"),
        ("SASL_SSL", "PROTOCOL", "SSL", "a user or a password needs OGREWATCH_KAFKA_PROTOCOL to be SASL_SSL."),
        ("PLAINTEXT", "MECHANISM", "SCRAM-SHA-512", "does not take our SASL_SSL"),
    ],
)
def test_kafka_refuses_in_a_sentence(
    well: Site, monkeypatch: pytest.MonkeyPatch, protocol: str, setting: str, value: str, sentence: str
) -> None:
    if value.endswith(".crt"):
        value = str(well.folder / value)
    monkeypatch.setenv(f"OGREWATCH_KAFKA_{setting}", value)
    servers = well.kafka.address if protocol == "PLAINTEXT" else well.kafka.servers(protocol)
    with pytest.raises(AccessRefused, match=re.escape(sentence)) as told:
        kafka.answers(servers)
    assert PASSWORD not in str(told.value)


@pytest.mark.parametrize("order", [1, -1])
def test_what_is_said_does_not_depend_on_what_is_reported_first(order: int) -> None:
    where, verify = "ssl://127.0.0.1:9093/bootstrap", "error:0A000086:SSL routines::certificate verify failed"
    told = "broker certificate could not be verified, verify that ssl.ca.location is correctly configured"
    reports = [
        (KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"),
        (KafkaError._TRANSPORT, f"{where}: Disconnected (after 3ms in state SSL_HANDSHAKE)"),
        (KafkaError._SSL, f"{where}: {verify} (after 3ms in state SSL_HANDSHAKE)"),
        (KafkaError._SSL, f"{where}: SSL handshake failed: {verify}: {told} (after 3ms in state SSL_HANDSHAKE)"),
    ]
    heard = [KafkaError(*report) for report in reports[::order]]
    with pytest.raises(AccessRefused, match=r"cannot be trusted \(certificate verify failed\): OGREWATCH_KAFKA_CA"):
        kafka._judge_all(heard, "127.0.0.1:9093", KafkaSecurity())


def test_a_kafka_that_wants_more_than_we_bring_is_named(site: Site) -> None:
    with pytest.raises(AccessRefused, match="hangs up: OGREWATCH_KAFKA_PROTOCOL PLAINTEXT may not be its own"):
        kafka.answers(site.kafka.servers("SASL_PLAINTEXT"))


def test_a_kafka_that_is_away_is_no_refusal(well: Site) -> None:
    assert not kafka.answers("127.0.0.1:1")


def _fingerprint(site: Site, monkeypatch: pytest.MonkeyPatch, of: Path) -> None:
    monkeypatch.delenv("OGREWATCH_ELASTICSEARCH_CA")
    digits = subprocess.check_output(["openssl", "x509", "-in", of, "-noout", "-fingerprint", "-sha256"], text=True)
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_FINGERPRINT", digits.strip().partition("=")[2])


async def _both_get_in(url: str) -> None:
    assert elasticsearch.answers(url)
    async with elasticsearch.async_client(url) as client:
        await client.cluster.health()


async def test_both_clients_of_elasticsearch_get_in(well: Site) -> None:
    await _both_get_in(well.elasticsearch.address)


@pytest.mark.parametrize("whose", ["ours.crt", "server.crt"])
async def test_a_fingerprint_will_do(well: Site, monkeypatch: pytest.MonkeyPatch, whose: str) -> None:
    _fingerprint(well, monkeypatch, well.folder / whose)
    await _both_get_in(well.elasticsearch.address)


def test_nobody_is_trusted_besides_the_file(well: Site) -> None:
    with elasticsearch.client(well.elasticsearch.address) as client:
        client.cluster.health()
        (node,) = client.transport.node_pool.all()
        assert node.config.ssl_context is not None
        assert node.config.ssl_context.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("USER", "stranger", "does not know us (status 401)"),
        ("CA", "strange.crt", "cannot be trusted"),
        ("FINGERPRINT", "ab" * 32, "of OGREWATCH_ELASTICSEARCH_CA and _FINGERPRINT one is meant."),
        ("FINGERPRINT", "abc", "a SHA-256 fingerprint has 64 hexadecimal digits."),
        ("API_KEY", "bm86bm8=", "one is meant."),
    ],
)
def test_elasticsearch_refuses_in_a_sentence(
    well: Site, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, sentence: str
) -> None:
    if value.endswith(".crt"):
        value = str(well.folder / value)
    monkeypatch.setenv(f"OGREWATCH_ELASTICSEARCH_{setting}", value)
    with pytest.raises(AccessRefused, match=re.escape(sentence)) as told:
        elasticsearch.answers(well.elasticsearch.address)
    assert PASSWORD not in str(told.value)


def test_what_the_role_does_not_hold_is_refused(well: Site) -> None:
    with elasticsearch.client(well.elasticsearch.address) as client:
        with pytest.raises(Exception, match="403") as refused:
            client.indices.delete(index="logs-ogrewatch.authentication-default")
        assert "does not let us do this (status 403)" in str(elasticsearch.refusal(refused.value))


@pytest.fixture
def impostor(site: Site, tmp_path: Path) -> Iterator[str]:
    """The URL of somebody who shows a certificate of his own, and that of our authority besides."""
    false = authority(tmp_path, "ours")
    own = signed(tmp_path, "server", false)
    own.chain.write_text(own.certificate.read_text() + site.authority.certificate.read_text())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.chain, own.key)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


async def test_a_certificate_that_anybody_can_show_proves_nothing(
    well: Site, monkeypatch: pytest.MonkeyPatch, impostor: str
) -> None:
    _fingerprint(well, monkeypatch, well.authority.certificate)
    with pytest.raises(AccessRefused, match="cannot be trusted"):
        elasticsearch.answers(impostor)
    async with elasticsearch.async_client(impostor, max_retries=0) as client:
        with pytest.raises(SSLError):
            await client.cluster.health()


@pytest.mark.parametrize(
    ("command", "setting", "sentence"),
    [
        (("topics", "list"), "KAFKA_USER", "refuses user 'stranger'"),
        (("deadletter", "list"), "KAFKA_USER", "refuses user 'stranger'"),
        (("worker", "index", "--bare"), "ELASTICSEARCH_USER", "does not know us (status 401)"),
    ],
)
def test_a_command_ends_with_the_sentence(
    well: Site, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], setting: str, sentence: str
) -> None:
    monkeypatch.setenv(f"OGREWATCH_{setting}", "stranger")
    begin = time.monotonic()
    done = subprocess.run(command_line(*command), capture_output=True, text=True, timeout=60)
    assert done.returncode == AccessRefused.STATUS, done.stderr
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert PASSWORD not in done.stderr
    assert time.monotonic() - begin < 30


def test_settings_do_not_show_their_secrets(well: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA", "ELASTICSEARCH"):
        monkeypatch.delenv(f"OGREWATCH_{name}_PASSWORD_FILE")
        monkeypatch.setenv(f"OGREWATCH_{name}_PASSWORD", PASSWORD)
    assert kafka.client_conf("")["sasl.password"] == PASSWORD
    for made in (KafkaSecurity(), elasticsearch.ElasticsearchSecurity(), credentials()):
        assert USER in repr(made)
        assert PASSWORD not in repr(made) + str(made)


def test_no_client_is_made_elsewhere() -> None:
    """A client that is not made by the two modules would forget what they know."""
    makes = re.compile(r'"bootstrap\.servers"|\bAsyncElasticsearch\(|[^.\w]Elasticsearch\((?!Server)')
    packages = ("agents", "cli", "ingest", "sinks", "topics", "web")
    found = {
        str(path.relative_to(_ROOT))
        for package in packages
        for path in (_ROOT / package).rglob("*.py")
        if makes.search(path.read_text())
    }
    soak = {f"cli/{name}.py" for name in ("soak_site", "soak_state", "soak_faults")}  # it starts servers of its own
    assert found - soak == {"topics/kafka/client.py", "sinks/elasticsearch/connection.py"}
