"""Makes the saved state of a map: circles where events come from, by number, on Elastic's base map."""

import json
from typing import Any

from sinks.elasticsearch.kibana.panels import Panel

PLACE = "source.geo.location"
_COUNT = {"name": "doc_count", "origin": "source"}
_STYLE = {
    "fillColor": {
        "type": "DYNAMIC",
        "options": {
            "type": "ORDINAL",
            "color": "Yellow to Red",
            "field": _COUNT,
            "fieldMetaOptions": {"isEnabled": True, "sigma": 3},
        },
    },
    "iconSize": {"type": "DYNAMIC", "options": {"minSize": 4, "maxSize": 24, "field": _COUNT}},
}
_ZOOM = {"minZoom": 0, "maxZoom": 24}
_REFERENCE = "layer_1_source_index_pattern"
_GRID = {
    "type": "ES_GEO_GRID",
    "id": "grid",
    "requestType": "point",
    "resolution": "MOST_FINE",
    "geoField": PLACE,
    "metrics": [{"type": "count"}],
    "applyGlobalQuery": True,
    "applyGlobalTime": True,
    "applyForceRefresh": True,
    "indexPatternRefName": _REFERENCE,
}
_BASE = {
    "id": "base",
    "type": "EMS_VECTOR_TILE",
    "sourceDescriptor": {"type": "EMS_TMS", "isAutoSelect": True},
    "style": {"type": "EMS_VECTOR_TILE", "color": ""},
    "visible": True,
    "alpha": 1,
    **_ZOOM,
}


def map_of(panel: Panel, view_id: str) -> dict[str, Any]:
    """The attributes of the map, with the id of its data view."""
    circles = {
        "id": "circles",
        "type": "GEOJSON_VECTOR",
        "label": panel.title,
        "visible": True,
        "alpha": 0.8,
        "joins": [],
        "sourceDescriptor": _GRID,
        "style": {"type": "VECTOR", "isTimeAware": True, "properties": _STYLE},
        **_ZOOM,
    }
    query = {"query": panel.query, "language": "lucene"}
    looks = {"zoom": 1.4, "center": {"lon": 0, "lat": 25}, "query": query, "filters": []}
    return {
        "title": panel.title,
        "description": "",
        "layerListJSON": json.dumps([_BASE, circles]),
        "mapStateJSON": json.dumps(looks),
        "uiStateJSON": json.dumps({"isLayerTOCOpen": False, "openTOCDetails": []}),
        "references": [{"type": "index-pattern", "id": view_id, "name": _REFERENCE}],
    }
