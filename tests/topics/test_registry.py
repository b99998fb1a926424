"""Tests, with a real registry, that our schemas are registered and ids are looked up, whatever does not answer."""

import asyncio
import copy
import json
import logging
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from apicurio_kit import PASSWORD, USER, Door
from confluent_kafka.admin import AdminClient
from fastavro import parse_schema, schemaless_reader
from registry_kit import changed, put_schema, restored, send, written
from typer.testing import CliRunner

from agents.runtime.schema_registry import Schemas
from agents.settings import Settings
from cli.topics import app
from topics.avro.codec import EVENTS, CodecError, UnknownSchema, decode, encode
from topics.avro.registry import Registry, register_all, subjects
from topics.avro.wire import first_bytes
from topics.catalogue import CATALOGUE
from topics.errors import RegistryRefused, RegistryUnavailable
from topics.records import stats
from topics.records.stats import WINDOWS

_EVENT = {"timestamp": 1_700_000_000_000_000, "source_ip": "192.0.2.1", "message": "hello"}
_SHOE = {"name": "shoe_size", "type": "int", "default": -1, "ecs": "shoe.size"}


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    with restored(EVENTS, WINDOWS):
        yield


@pytest.fixture
def prefix(unique: str) -> str:
    """Subjects of this test alone."""
    return f"{unique}."


def test_a_schema_has_one_number_however_often_it_is_registered(apicurio: str, prefix: str) -> None:
    registry, web = Registry(apicurio), subjects(prefix)[f"{prefix}events.web"]
    assert web.subject == f"{prefix}events.web-value"
    assert registry.find(web) is None
    number = registry.register(web)
    assert registry.register(web) == registry.find(web) == number
    assert registry.text(number) == web.text
    assert registry.text(2**31 - 1) is None


def test_records_carry_the_registrys_numbers_and_any_reader_can_read_them(apicurio: str, prefix: str) -> None:
    before = encode("web", _EVENT)
    register_all(Registry(apicurio), prefix)
    value = encode("web", _EVENT)
    number = int.from_bytes(value[1:5], "big")
    assert (value[0], value[5:]) == (0, before[5:])
    assert number == subjects(prefix)[f"{prefix}events.web"].number < 2**31
    schema = parse_schema(json.loads(Registry(apicurio).text(number) or ""))
    read: Any = schemaless_reader(BytesIO(value[5:]), schema, None)
    assert {name: read[name] for name in _EVENT} == _EVENT
    assert decode(value) == decode(before)  # what was written before there was a registry stays readable
    window = stats.AuthWindow("web", 3, "sshd", 60, 1, 2, 3, 4)
    assert stats.decode(stats.encode(window)) == window


async def test_another_versions_number_is_asked_for(apicurio: str, prefix: str) -> None:
    old = changed(EVENTS.schemas["web"], without="http_version", fields=(_SHOE,))
    number = put_schema(apicurio, f"{prefix}events.web-value", old)
    schemas = Schemas(Settings(schema_registry=apicurio, prefix=prefix))
    value = written(old, number, {**_EVENT, "shoe_size": 42})
    with pytest.raises(UnknownSchema) as unknown:
        decode(value)
    await schemas.learn(unknown.value)
    kind, found = decode(value)
    assert (kind, found["message"], found["extra"]) == ("web", "hello", {"shoe.size": 42})


async def test_a_number_that_the_registry_lacks_is_no_event(apicurio: str, prefix: str) -> None:
    schemas = Schemas(Settings(schema_registry=apicurio, prefix=prefix))
    value = first_bytes(2**31 - 1) + encode("web", _EVENT)[5:]
    with pytest.raises(UnknownSchema) as unknown:
        decode(value)
    await schemas.learn(unknown.value)
    with pytest.raises(CodecError):
        decode(value)


def _make_incompatible(apicurio: str, prefix: str) -> None:
    subject = f"{prefix}events.audit-value"
    schema = copy.deepcopy(EVENTS.schemas["audit"])
    schema["fields"][1]["type"] = "string"
    schema["fields"][1]["default"] = ""
    put_schema(apicurio, subject, schema)
    send("PUT", f"{apicurio}/config/{subject}", {"compatibility": "BACKWARD"})


def test_an_incompatible_schema_is_refused_with_a_sentence(apicurio: str, prefix: str) -> None:
    _make_incompatible(apicurio, prefix)
    with pytest.raises(RegistryRefused, match=rf"{prefix}events.audit-value, since it is not compatible"):
        register_all(Registry(apicurio), prefix)


def test_changes_that_we_make_are_compatible(apicurio: str, prefix: str) -> None:
    subject = f"{prefix}events.web-value"
    put_schema(apicurio, subject, changed(EVENTS.schemas["web"], without="http_version", fields=(_SHOE,)))
    send("PUT", f"{apicurio}/config/{subject}", {"compatibility": "FULL"})
    register_all(Registry(apicurio), prefix)


@pytest.mark.parametrize("wrong", ["registry:8081", "ftp://x", "https://", "", "http://ogre:a/b@192.0.2.1:8081"])
def test_an_address_that_is_none_is_refused_without_showing_it(wrong: str) -> None:
    with pytest.raises(RegistryRefused, match="must be http") as error:
        Registry(wrong)
    assert "a/b" not in str(error.value)


def test_what_is_no_registry_is_waited_for(apicurio: str) -> None:
    away = Door(apicurio)
    for address in (away.address, f"{apicurio}/elsewhere", apicurio.removesuffix("/apis/ccompat/v7")):
        with pytest.raises(RegistryUnavailable):
            Registry(address).text(1)


def test_the_next_address_is_asked_when_one_is_away(apicurio: str) -> None:
    assert Registry(f"{Door(apicurio).address}, {apicurio}/").text(2**31 - 1) is None


def test_a_worker_waits_for_the_registry_and_then_registers(
    apicurio: str, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(apicurio)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(Schemas, Settings(schema_registry=door.address, prefix=prefix))
        time.sleep(0.7)
        assert not starting.done()
        door.open()
        try:
            starting.result(10)
        finally:
            door.shut()
    assert all(Registry(apicurio).find(subject) == subject.number for subject in subjects(prefix).values())
    assert "waiting for the Schema Registry" in caplog.text


async def test_a_reader_waits_for_the_registry(apicurio: str, prefix: str) -> None:
    door = Door(apicurio)
    door.open()
    schemas = await asyncio.to_thread(Schemas, Settings(schema_registry=door.address, prefix=prefix))
    await asyncio.to_thread(door.shut)
    other = changed(EVENTS.schemas["web"], fields=(_SHOE,))
    value = written(other, put_schema(apicurio, f"{prefix}events.web-value", other), _EVENT)
    with pytest.raises(UnknownSchema) as unknown:
        decode(value)
    learning = asyncio.create_task(schemas.learn(unknown.value))
    await asyncio.sleep(0.7)
    assert not learning.done()
    with pytest.raises(UnknownSchema):  # still not a dead letter
        decode(value)
    door.open()
    await asyncio.wait_for(learning, 10)
    await asyncio.to_thread(door.shut)
    assert decode(value)[1]["message"] == "hello"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's certificate for 127.0.0.1, its own authority, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key",
        "-out",
        "pem",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=registry.example.com", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    both = folder / "server.pem"
    both.write_bytes((folder / "pem").read_bytes() + (folder / "key").read_bytes())
    return both


def test_tls_and_a_password_that_is_never_shown(
    apicurio: str, prefix: str, certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    door = Door(apicurio, certificate, password=True)
    door.open()
    shown = []
    try:
        url = door.address.replace("//", f"//{USER}:{quote(PASSWORD, safe='')}@")
        with pytest.raises(RegistryUnavailable, match="certificate") as stranger:
            Registry(url).text(1)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        register_all(Registry(url), prefix)
        wrong = Registry(door.address.replace("//", f"//{USER}:wrong-secret@"))
        with pytest.raises(RegistryUnavailable, match="401") as refused:
            wrong.text(1)
        shown = [str(stranger.value), str(refused.value), wrong.shown, Registry(url).shown]
    finally:
        door.shut()
    assert not [text for text in (*shown, caplog.text) if "secret" in text or USER in text]


def test_the_command_line_registers_and_lists(apicurio: str, kafka: str, prefix: str) -> None:
    variables = {"OGREWATCH_KAFKA": kafka, "OGREWATCH_PREFIX": prefix, "OGREWATCH_SCHEMA_REGISTRY": apicurio}
    run = CliRunner(env={**variables, "OGREWATCH_PARTITIONS": "1"}).invoke
    before = {row["name"]: row for row in json.loads(run(app, ["list", "--json"]).stdout)}
    assert before[f"{prefix}events.web"]["schema_id"] is None
    _make_incompatible(apicurio, prefix)
    try:
        refused = run(app, ["create"])
        assert (refused.exit_code, "not compatible" in refused.stderr) == (1, True)
        send("PUT", f"{apicurio}/config/{prefix}events.audit-value", {"compatibility": "NONE"})
        created = run(app, ["create"])
        rows = {row["name"]: row for row in json.loads(run(app, ["list", "--json"]).stdout)}
    finally:
        _delete_topics(kafka, prefix)
    number = rows[f"{prefix}events.web"]["schema_id"]
    assert f"{prefix}events.web-value is schema {number}\n" in created.stdout
    assert {name for name, row in rows.items() if row.get("schema_id")} == set(subjects(prefix))
    assert "subject" not in rows[f"{prefix}raw.syslog"]


def test_the_command_line_lists_the_packages_numbers(kafka: str, prefix: str) -> None:
    variables = {"OGREWATCH_KAFKA": kafka, "OGREWATCH_PREFIX": prefix, "OGREWATCH_SCHEMA_REGISTRY": ""}
    rows = {row["name"]: row for row in json.loads(CliRunner(env=variables).invoke(app, ["list", "--json"]).stdout)}
    assert rows[f"{prefix}events.web"]["schema_id"] == int.from_bytes(encode("web", _EVENT)[1:5], "big")


def _delete_topics(kafka: str, prefix: str) -> None:
    client = AdminClient({"bootstrap.servers": kafka})
    for future in client.delete_topics([prefix + topic.name for topic in CATALOGUE]).values():
        future.result(30)
