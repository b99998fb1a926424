"""Defines dashboards in words of ours, and turns them into Grafana's JSON.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

_SCHEMA = 39  # the version of Grafana 10.4's model; newer ones migrate it
_COLUMNS, _HEIGHT = 24, 8  # of Grafana's grid
_SOURCE = {"type": "prometheus", "uid": "${source}"}

Unit = Literal["short", "s", "bytes", "reqps", "percentunit", "bool", "ops"]


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression, and how its series are called. `only_when_wrong`: it finds nothing while all is well."""

    expression: str
    legend: str = ""
    only_when_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart over time, or a row of big numbers (`stat`). `width` is in columns of 24."""

    title: str
    queries: tuple[Query, ...]
    unit: Unit = "short"
    about: str = ""
    width: int = 12
    kind: Literal["timeseries", "stat"] = "timeseries"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels, which fill rows from left to right."""

    name: str
    about: str
    panels: tuple[Panel, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name.lower().replace(' ', '-')}.json"


def render(dashboard: Dashboard) -> str:
    """The dashboard as Grafana imports it. Equal arguments give equal text."""
    model = {
        "uid": f"ogrewatch-{dashboard.file.removesuffix('.json')}",
        "title": f"Ogrewatch: {dashboard.name}",
        "description": dashboard.about,
        "tags": ["ogrewatch"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "graphTooltip": 1,
        "templating": {"list": [_CHOICE]},
        "links": [_LINKS],
        "panels": _panels(dashboard),
    }
    return json.dumps(model, indent=1, sort_keys=True) + "\n"


_CHOICE = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}
_LINKS = {"title": "Ogrewatch", "type": "dashboards", "tags": ["ogrewatch"], "asDropdown": True, "includeVars": True}


def _panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    made, x, y = [], 0, 0
    for number, panel in enumerate(dashboard.panels, 1):
        if x + panel.width > _COLUMNS:
            x, y = 0, y + _HEIGHT
        made.append(_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": _HEIGHT}))
        x += panel.width
    return made


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + at), "expr": query.expression, "legendFormat": query.legend or "__auto",
         "datasource": _SOURCE, "editorMode": "code", "range": True}
        for at, query in enumerate(panel.queries)
    ]  # fmt: skip
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "gridPos": place,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {"unit": panel.unit}
    return {"unit": panel.unit, "min": 0, "custom": {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never"}}


_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "area",
        "textMode": "auto",
    },
}
