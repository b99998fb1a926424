"""Tests that passwords are sent without TLS only to this machine and to hosts that are named."""

import pytest

from ingest.amqp.broker import BadBroker, url_of
from ingest.amqp.settings import AmqpSettings
from sinks.elasticsearch.connection import client
from topics.avro.registry import Registry
from topics.errors import AccessRefused, RegistryRefused
from topics.kafka.client import client_conf

SECRET = "s3cret-of-somebody"
LOOPBACK = ("127.0.0.1", "127.8.9.10", "[::1]", "localhost", "LOCALHOST")


def elasticsearch(host: str) -> None:
    client(f"http://elastic:{SECRET}@{host}:9200").close()


def registry(host: str) -> None:
    Registry(f"http://ogrewatch:{SECRET}@{host}:8081")


def amqp(host: str) -> None:
    url_of(AmqpSettings(url=f"amqp://ogrewatch@{host}/", password=SECRET))


def amqp_with_all_in_one(host: str) -> None:
    url_of(AmqpSettings(url=f"amqp://ogrewatch:{SECRET}@{host}/"))


def kafka(host: str) -> None:
    client_conf(f"127.0.0.1:9092,{host}:9092")


@pytest.fixture(autouse=True)
def plain_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PROTOCOL": "SASL_PLAINTEXT", "MECHANISM": "PLAIN", "USER": "u", "PASSWORD": SECRET}.items():
        monkeypatch.setenv(f"OGREWATCH_KAFKA_{name}", value)


@pytest.mark.parametrize("connect", [elasticsearch, registry, amqp, amqp_with_all_in_one, kafka])
def test_a_password_goes_without_tls_to_named_hosts_only(connect: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(connect)
    for host in LOOPBACK:
        connect(host)
    for host in ("server.example.com", "192.0.2.1", "[2001:db8::1]", "localhost.example.com"):
        with pytest.raises((AccessRefused, RegistryRefused, BadBroker), match="OGREWATCH_PLAINTEXT_HOSTS") as told:
            connect(host)
        assert SECRET not in str(told.value)
    monkeypatch.setenv("OGREWATCH_PLAINTEXT_HOSTS", "other.example.com, server.example.com,2001:db8::1")
    connect("server.example.com")
    connect("[2001:db8::1]")
    with pytest.raises((AccessRefused, RegistryRefused, BadBroker)):
        connect("third.example.com")


def test_a_key_of_elasticsearch_is_a_password_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_API_KEY", SECRET)
    client("http://127.0.0.1:9200").close()
    with pytest.raises(AccessRefused, match=r"192\.0\.2\.1"):
        client("https://server.example.com:9200,http://192.0.2.1:9200")


def test_without_a_password_or_with_tls_or_scram_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    client("http://server.example.com:9200").close()
    client(f"https://elastic:{SECRET}@server.example.com:9200").close()
    Registry("http://server.example.com:8081")
    Registry(f"https://ogrewatch:{SECRET}@server.example.com:8081")
    url_of(AmqpSettings(url=f"amqps://ogrewatch:{SECRET}@server.example.com/"))
    monkeypatch.setenv("OGREWATCH_KAFKA_MECHANISM", "SCRAM-SHA-512")
    client_conf("server.example.com:9092")
    monkeypatch.setenv("OGREWATCH_KAFKA_MECHANISM", "PLAIN")
    monkeypatch.setenv("OGREWATCH_KAFKA_PROTOCOL", "SASL_SSL")
    client_conf("server.example.com:9092")
