"""Makes Kibana's saved objects from the list in `contents`, one JSON object a line, as Kibana imports them.

Every id is derived from a name, so that importing again replaces what an earlier version left. Equal code gives equal
bytes. Objects say the lowest versions of their types that are right: a newer Kibana migrates them, an older one than
`OLDEST` refuses them. https://www.elastic.co/docs/api/doc/kibana/operation/operation-importsavedobjectsdefault
"""

import json
import uuid
from typing import Any

from sinks.elasticsearch.kibana.contents import DASHBOARDS, SEARCHES, VIEWS
from sinks.elasticsearch.kibana.lens import lens
from sinks.elasticsearch.kibana.maps import map_of
from sinks.elasticsearch.kibana.panels import Dashboard, Panel, Search, View

OLDEST = (8, 9)
"""The oldest Kibana that takes these objects."""
VERSIONS = {"index-pattern": "8.0.0", "dashboard": "8.9.0", "search": "7.9.3"}
CORE_VERSION = "8.8.0"

_NAMES = uuid.UUID("6f677265-7761-7463-6800-000000000000")
_OPTIONS = {
    "useMargins": True,
    "hidePanelTitles": False,
    "syncColors": True,
    "syncCursor": True,
    "syncTooltips": False,
}
_EMPTY = dict.fromkeys(("fieldFormatMap", "runtimeFieldMap", "typeMeta", "fieldAttrs"), "{}")
_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"

Json = dict[str, Any]


def lines() -> bytes:
    """All objects as newline-delimited JSON."""
    return b"".join(json.dumps(one, sort_keys=True).encode() + b"\n" for one in objects())


def objects() -> list[Json]:
    """All objects; those that others refer to come first."""
    return [
        *(_view(key) for key in VIEWS),
        *(_search(search) for search in SEARCHES),
        *(_dashboard(dashboard) for dashboard in DASHBOARDS),
    ]


def id_of(*names: str) -> str:
    """The id of what has these names."""
    return str(uuid.uuid5(_NAMES, "/".join(names)))


def view_id(view: View) -> str:
    """The id of a data view."""
    return id_of("view", view)


def _object(kind: str, identity: str, attributes: Json, references: list[Json]) -> Json:
    return {
        "type": kind,
        "id": identity,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": CORE_VERSION,
        "typeMigrationVersion": VERSIONS[kind],
    }


def _view(view: View) -> Json:
    pattern, name = VIEWS[view]
    attributes = {
        "title": pattern,
        "name": name,
        "timeFieldName": "@timestamp",
        "allowNoIndex": True,
        "fields": "[]",
        "sourceFilters": "[]",
        **_EMPTY,
    }
    return _object("index-pattern", view_id(view), attributes, [])


def _search(search: Search) -> Json:
    source = {"query": {"query": search.query, "language": "lucene"}, "filter": [], "indexRefName": _INDEX}
    attributes = {
        "title": _title(search.name),
        "description": "",
        "columns": list(search.columns),
        "sort": [["@timestamp", "desc"]],
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)},
    }
    reference = {"type": "index-pattern", "id": view_id(search.view), "name": _INDEX}
    return _object("search", id_of("search", search.name), attributes, [reference])


def _dashboard(dashboard: Dashboard) -> Json:
    panels = [_panel(dashboard, panel) for panel in dashboard.panels]
    references = [
        {**reference, "name": f"{panel['panelIndex']}:{reference['name']}"}
        for panel in panels
        for reference in panel["embeddableConfig"]["attributes"]["references"]
    ]
    source = {"query": {"query": "", "language": "kuery"}, "filter": []}
    attributes = {
        "title": _title(dashboard.name),
        "description": dashboard.about,
        "version": 1,
        "panelsJSON": json.dumps(panels),
        "optionsJSON": json.dumps(_OPTIONS),
        "timeRestore": True,
        "timeFrom": "now-24h",
        "timeTo": "now",
        "refreshInterval": {"pause": False, "value": 30_000},
        "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)},
    }
    return _object("dashboard", id_of("dashboard", dashboard.name), attributes, references)


def _panel(dashboard: Dashboard, panel: Panel) -> Json:
    identity, view = id_of("panel", dashboard.name, panel.title), view_id(panel.view)
    x, y, width, height = panel.at
    is_map = panel.chart == "map"
    attributes = map_of(panel, view) if is_map else lens(panel, id_of("layer", dashboard.name, panel.title), view)
    return {
        "type": "map" if is_map else "lens",
        "panelIndex": identity,
        "version": VERSIONS["dashboard"],
        "title": panel.title,
        "gridData": {"x": x, "y": y, "w": width, "h": height, "i": identity},
        "embeddableConfig": {"attributes": attributes, "enhancements": {}},
    }


def _title(name: str) -> str:
    return f"[Ogrewatch] {name}"
