"""Tests where a value of any shape is placed in a document."""

from typing import Any

import pytest

from topics.documents.ecs import DERIVED, render
from topics.documents.ecs_types import OBJECTS, TYPES
from topics.documents.placement import place
from topics.fields import FIELDS

_APART = ("ogrewatch.raw.", "source.geo.location.", "destination.geo.location.")


def test_every_column_and_all_that_is_derived_has_a_type() -> None:
    documented = {f.ecs for f in FIELDS.values() if not f.ecs.startswith(_APART)}
    assert documented <= TYPES.keys()
    assert TYPES.keys() | OBJECTS >= DERIVED
    assert TYPES.keys().isdisjoint(OBJECTS)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("dns.answers", [{"name": "a"}], {"dns": {"answers": [{"name": "a"}]}}),
        ("tls.client.ja3", "x", {"tls": {"client": {"ja3": "x"}}}),
        ("user", {"id": "7", "roles": ["a"]}, {"user": {"id": "7", "roles": ["a"]}}),
        ("sshd.method", "password", {"sshd": {"method": "password"}}),
        ("sshd.method", {"name": 1}, {"sshd": {"method": {"name": 1}}}),
        ("suricata", {"eve": {"x": [1, "a", {}]}}, {"suricata": {"eve": {"x": [1, "a", {}]}}}),
        ("process.new", 5, {"process": {"new": 5}}),
        ("client.geo.location", {"lat": 1.0, "lon": 2}, {"client": {"geo": {"location": {"lat": 1.0, "lon": 2}}}}),
    ],
)
def test_what_fits_has_its_place(name: str, value: Any, expected: dict[str, Any]) -> None:
    document: dict[str, Any] = {}
    place(document, name, value)
    assert document == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vendor", "a value where another event has an object"),
        ("source", "192.0.2.1"),
        ("source.ip", {"address": "192.0.2.1"}),
        ("source.ip", [{"address": "192.0.2.1"}]),
        ("source.ip.address", "192.0.2.1"),
        ("process.new", {"name": 1}),
        ("process.new.name", 1),
        ("labels", "a"),
        ("message.text", "a"),
        ("client.geo.location", {"lat": 1.0}),
        ("_id", {"a": 1}),
        ("_source.a", 1),
        ("", {"a": 1}),
        (" .a", 1),
        ("user.", 1),
    ],
)
def test_what_a_store_could_refuse_stands_apart(name: str, value: Any) -> None:
    document: dict[str, Any] = {}
    place(document, name, value)
    assert document.pop("ogrewatch") == {"unplaced": {name: value}}
    assert document == {}


def test_what_stands_there_stays() -> None:
    document = render({"timestamp": 0, "user_name": "a", "message": "m"})
    for name, value in {
        "user.name": "b",
        "@timestamp": "2030",
        "message": "n",
        "ecs.version": "1",
        "user.id": "7",
    }.items():
        place(document, name, value)
    assert (document["user"], document["message"]) == ({"name": "a", "id": "7"}, "m")
    assert document["@timestamp"].startswith("1970")
    assert set(document["ogrewatch"]["unplaced"]) == {"user.name", "@timestamp", "message", "ecs.version"}


def test_related_lists_are_joined() -> None:
    document = render({"timestamp": 0, "source_ip": "192.0.2.1", "extra": {"related.ip": ["192.0.2.1", "192.0.2.2"]}})
    assert document["related"] == {"ip": ["192.0.2.1", "192.0.2.2"]}


def test_columns_of_another_type_count_as_columns() -> None:
    event = {"timestamp": 0, "extra": {"destination.ip": "192.0.2.1", "destination.geo.continent_code": "EU"}}
    destination = render(event)["destination"]
    assert destination == {
        "ip": "192.0.2.1",
        "address": "192.0.2.1",
        "geo": {"continent_code": "EU", "continent_name": "Europe"},
    }
