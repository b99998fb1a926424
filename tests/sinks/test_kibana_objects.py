"""Looks at the saved objects: ids, versions, references, the grid, and, on a real server, every field and search.

The demonstration corpus is what is searched, and some alerts. No Kibana was there to show the panels.
"""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch
from kibana_server import ATTRIBUTES, NEWEST

from agents.pipeline import Pipeline
from agents.settings import Settings
from sinks.base import Document
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.kibana import export
from sinks.elasticsearch.kibana.contents import DASHBOARDS, SEARCHES, VIEWS
from sinks.elasticsearch.kibana.lens import data_type
from sinks.elasticsearch.kibana.maps import PLACE
from sinks.elasticsearch.kibana.panels import COLUMNS, Panel, Value
from sinks.elasticsearch.mappings import alerts
from sinks.elasticsearch.templates import all_names, attempts_name, install, stream_name
from stack.demo.corpus import generate, truth
from stack.demo.scene import Service
from streams.base import MemoryState
from topics.catalogue import DEADLETTER
from topics.documents.document import document_of
from topics.records.stats import AuthWindow, document, encode

PANELS = [(dashboard.name, panel) for dashboard in DASHBOARDS for panel in dashboard.panels]
_NAMES = [f"{name}: {panel.title}" for name, panel in PANELS]
_HOSTS, _SEED = 10, 7
_TYPES = {
    "string": {"keyword"},
    "ip": {"ip"},
    "date": {"date"},
    "number": {"long", "integer", "double", "float"},
}


def test_ids_are_the_same_always_and_bytes_too() -> None:
    assert export.lines() == export.lines()
    assert export.id_of("dashboard", "Overview") == "9e071acc-3f01-5b3a-a1b4-dcf734a08ccd"
    ids = [one["id"] for one in export.objects()]
    assert len(set(ids)) == len(ids)
    assert all(uuid.UUID(one) for one in ids)


def test_objects_are_of_the_versions_and_attributes_that_kibana_knows() -> None:
    for one in export.objects():
        assert set(one) == {"type", "id", "attributes", "references", "coreMigrationVersion", "typeMigrationVersion"}
        assert one["attributes"].keys() <= ATTRIBUTES[one["type"]]
        assert tuple(map(int, one["typeMigrationVersion"].split("."))) == NEWEST[one["type"]]


def test_references_are_those_that_panels_have_and_lead_to_objects() -> None:
    objects = export.objects()
    there = {(one["type"], one["id"]) for one in objects}
    for one in objects:
        assert {(ref["type"], ref["id"]) for ref in one["references"]} <= there
        if one["type"] == "dashboard":
            inner = [
                (f"{panel['panelIndex']}:{ref['name']}", ref["id"])
                for panel in json.loads(one["attributes"]["panelsJSON"])
                for ref in panel["embeddableConfig"]["attributes"]["references"]
            ]
            assert sorted(inner) == sorted((ref["name"], ref["id"]) for ref in one["references"])


def test_columns_refer_to_columns_and_are_in_order() -> None:
    for layer in _layers():
        columns = layer["columns"]
        assert layer["columnOrder"] == list(columns)
        for column in columns.values():
            assert set(column.get("references", ())) <= columns.keys()
            if column["operationType"] == "terms":
                order = column["params"]["orderBy"]["columnId"]
                assert columns[order]["operationType"] not in ("formula", "math")


def _layers() -> Iterator[dict[str, Any]]:
    for one in export.objects():
        for panel in json.loads(one["attributes"].get("panelsJSON", "[]")):
            if panel["type"] == "lens":
                state = panel["embeddableConfig"]["attributes"]["state"]
                yield from state["datasourceStates"]["formBased"]["layers"].values()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_panels_fill_the_grid_and_do_not_overlap(dashboard: Any) -> None:
    cells = Counter(cell for panel in dashboard.panels for cell in _cells(panel))
    assert set(cells.values()) == {1}
    height = max(row for _, row in cells) + 1
    assert len(cells) == COLUMNS * height  # no holes
    assert all(0 <= column < COLUMNS for column, _ in cells)
    assert len({panel.title for panel in dashboard.panels}) == len(dashboard.panels)


def _cells(panel: Panel) -> Iterator[tuple[int, int]]:
    x, y, width, height = panel.at
    return ((column, row) for column in range(x, x + width) for row in range(y, y + height))


def test_no_two_dashboards_or_searches_have_one_name() -> None:
    for left, right in combinations([one.name for one in (*DASHBOARDS, *SEARCHES)], 2):
        assert left != right


@pytest.fixture(scope="module")
def indices(elasticsearch_url: str) -> Iterator[tuple[Elasticsearch, dict[str, str]]]:
    """Real indices that hold the demonstration corpus, by data view."""
    namespace = f"t{uuid.uuid4().hex[:10]}"
    install(elasticsearch_url)
    names = {"logs": stream_name("*", namespace), "attempts": attempts_name(namespace)}
    names["alerts"] = f"alerts-ogrewatch-{namespace}"
    end = datetime.now(UTC)
    with Elasticsearch(elasticsearch_url) as client:
        _store_alerts(client, names["alerts"])
        asyncio.run(_store(elasticsearch_url, namespace, [*_events(end, namespace), *_minutes(end, namespace)]))
        yield client, names
        client.indices.delete(index=names["alerts"])


def _events(end: datetime, namespace: str) -> Iterator[Document]:
    start = end.timestamp() - 3600
    records = [
        SimpleNamespace(topic="raw.syslog", partition=0, offset=number, timestamp=int((start + at) * 1000), headers=(),
                        key=host, value=line)
        for number, (at, host, line) in enumerate(generate(_SEED, end, _HOSTS))
    ]  # fmt: skip
    for topic, _, value, *_ in Pipeline(Settings()).records(records, MemoryState()):
        assert topic != DEADLETTER.name
        assert value is not None
        kind, identity, source = document_of(value)
        yield Document(stream_name(kind, namespace), identity, source)


def _minutes(end: datetime, namespace: str) -> Iterator[Document]:
    minute, name = int(end.timestamp()) // 60 * 60, attempts_name(namespace)
    services: dict[Service, Counter[str]] = {}
    for (service, outcome), number in truth(_SEED, end, _HOSTS).attempts.items():
        services.setdefault(service, Counter())[outcome] += number
    for service, found in services.items():
        window = AuthWindow("authentication", 0, service, minute, 1, found["success"], found["failure"], 0)
        identity, made = document(encode(window))
        yield Document(name, identity, orjson.dumps(made))


async def _store(url: str, namespace: str, documents: list[Document]) -> None:
    sink = ElasticsearchSink(url, max_bytes=512 << 10)  # aiohttp warns of larger bodies
    assert (await sink.write(documents)).stored == len(documents)
    await sink.refresh(all_names(namespace))
    await sink.close()


def _store_alerts(client: Elasticsearch, name: str) -> None:
    """Some alerts."""
    client.indices.create(index=name, **alerts())
    for number, status in enumerate(("open", "open", "acknowledged", "closed")):
        alert = {
            "@timestamp": datetime.now(UTC).isoformat(),
            "event": {"kind": "alert", "dataset": "ogrewatch.alert"},
            "rule": {"id": f"r{number}", "name": f"Rule {number}"},
            "threat": {"tactic": {"name": ["Credential Access"]}},
            "related": {"ip": ["192.0.2.1"], "user": ["root"]},
            "source": {"ip": "192.0.2.1"}, "user": {"name": "root"}, "message": f"Rule {number}",
            "ogrewatch": {"alert": {"status": status, "level": "high", "count": 7}},
        }  # fmt: skip
        client.index(index=name, id=str(number), document=alert, refresh=True)


Indices = tuple[Elasticsearch, dict[str, str]]


def test_fields_exist_and_are_of_the_type_that_kibana_is_told(indices: Indices) -> None:
    client, names = indices
    for view in VIEWS:
        found = client.field_caps(index=names[view], fields="*")["fields"]
        for field, kind in _fields(view):
            assert field in found, (view, field)
            assert found[field].keys() <= _TYPES[kind], (view, field, found[field])
            assert all(caps["aggregatable"] for caps in found[field].values()), (view, field)
    assert client.field_caps(index=names["logs"], fields=PLACE)["fields"][PLACE].keys() == {"geo_point"}


def _fields(view: str) -> Iterator[tuple[str, str]]:
    """The fields of a data view that are aggregated, and their types as Kibana names them."""
    yield "@timestamp", "date"
    for panel in (panel for _, panel in PANELS if panel.view == view):
        yield from ((top.field, data_type(top.field)) for top in panel.by)
        for one in panel.values:
            if one.field:
                yield one.field, "number" if one.operation in ("sum", "share") else data_type(one.field)


def test_columns_of_saved_searches_exist(indices: Indices) -> None:
    client, names = indices
    for search in SEARCHES:
        found = client.field_caps(index=names[search.view], fields="*")["fields"]
        assert set(search.columns) <= found.keys()
        assert _hits(client, names[search.view], search.query)


@pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=_NAMES)
def test_every_panel_finds_something(indices: Indices, panel: Panel) -> None:
    client, names = indices
    aggregations = {"places": _PLACES} if panel.chart == "map" else _aggregations(panel)
    query = {"query_string": {"query": panel.query or "*"}}
    answer = client.search(index=names[panel.view], query=query, aggs=aggregations, size=0, track_total_hits=True)
    assert answer["_shards"]["failed"] == 0
    if panel.only_when_wrong:
        return
    assert answer["hits"]["total"]["value"] > 0
    for name, found in answer.get("aggregations", {}).items():
        assert found.get("buckets", True), name
        assert found.get("value", found.get("doc_count", 1)), name


_PLACES = {"geotile_grid": {"field": PLACE, "precision": 6}}


def _aggregations(panel: Panel) -> dict[str, Any]:
    """The search of a panel as Kibana would send it: values inside splits inside time."""
    values = {f"v{number}": found for number, one in enumerate(panel.values) if (found := _aggregation(one))}
    inner = values
    for top in reversed(panel.by):
        order = {"order": {"v0": "asc" if top.ascending else "desc"}} if "v0" in values else {}
        inner = {"split": {"terms": {"field": top.field, "size": top.size, **order}, "aggs": {**values, **inner}}}
    if panel.chart in ("bar", "line"):
        inner = {"time": {"date_histogram": {"field": "@timestamp", "fixed_interval": "30m"}, "aggs": inner}}
    return inner


def _aggregation(value: Value) -> dict[str, Any] | None:
    if value.operation == "count":
        return None
    if value.operation == "share":
        return {"filter": {"query_string": {"query": value.part}}}
    return {{"unique_count": "cardinality"}.get(value.operation, value.operation): {"field": value.field}}


def _hits(client: Elasticsearch, index: str, query: str) -> int:
    return int(client.count(index=index, query={"query_string": {"query": query}})["count"])
