"""Makes the saved state of a Lens chart from a panel.

The state has one layer: its columns, and which of them the chart puts where. A share is a formula; Kibana stores it as
text and as columns of its parts, whose names end with X and a number.
"""

from typing import Any

from sinks.elasticsearch.kibana.panels import Panel, Top, Value
from topics.documents.ecs_types import TYPES

Json = dict[str, Any]

_RECORDS = "___records___"  # Kibana's name for the number of documents
_KINDS = {"ip": "ip", "date": "date", "long": "number", "double": "number", "boolean": "boolean"}
_LENS = {"metric": "lnsMetric", "table": "lnsDatatable", "bar": "lnsXY", "line": "lnsXY"}


def lens(panel: Panel, layer: str, view_id: str) -> Json:
    """The attributes of the chart, with its layer's id and that of its data view."""
    columns = _columns(panel)
    form = {"columns": columns, "columnOrder": list(columns), "incompleteColumns": {}}
    state = {
        "datasourceStates": {"formBased": {"layers": {layer: form}}},
        "visualization": _visualization(panel, layer, columns),
        "query": {"query": panel.query, "language": "lucene"},
        "filters": [],
        "internalReferences": [],
        "adHocDataViews": {},
    }
    reference = {"type": "index-pattern", "id": view_id, "name": f"indexpattern-datasource-layer-{layer}"}
    return {
        "title": panel.title,
        "type": "lens",
        "visualizationType": _LENS[panel.chart],
        "references": [reference],
        "state": state,
    }


def _columns(panel: Panel) -> Json:
    """The columns by name: `t0`, `t1` split, `x` is time, `v0`, `v1` are values."""
    columns: Json = {f"t{number}": _terms(top) for number, top in enumerate(panel.by)}
    if panel.chart in ("bar", "line"):
        columns["x"] = _TIME
    for number, value in enumerate(panel.values):
        columns |= _share(value, f"v{number}") if value.operation == "share" else {f"v{number}": _number(value)}
    return columns


_TIME: Json = {
    "label": "@timestamp",
    "dataType": "date",
    "operationType": "date_histogram",
    "sourceField": "@timestamp",
    "isBucketed": True,
    "scale": "interval",
    "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
}


def _terms(top: Top) -> Json:
    params = {
        "size": top.size,
        "orderBy": {"type": "column", "columnId": "v0"},
        "orderDirection": "asc" if top.ascending else "desc",
        "otherBucket": False,
        "missingBucket": False,
        "parentFormat": {"id": "terms"},
        "include": [],
        "exclude": [],
        "includeIsRegex": False,
        "excludeIsRegex": False,
    }
    return {
        "label": top.field,
        "dataType": data_type(top.field),
        "operationType": "terms",
        "sourceField": top.field,
        "isBucketed": True,
        "scale": "ordinal",
        "params": params,
    }


def data_type(field: str) -> str:
    """What Kibana calls the type of a field."""
    return _KINDS.get(TYPES.get(field, ""), "string")


def _number(value: Value) -> Json:
    is_time = value.operation == "max" and data_type(value.field) == "date"
    return {
        "label": value.label,
        "customLabel": True,
        "dataType": "date" if is_time else "number",
        "operationType": value.operation,
        "sourceField": value.field or _RECORDS,
        "isBucketed": False,
        "scale": "ratio",
        "params": {} if is_time else {"emptyAsNull": False},
    }


def _share(value: Value, name: str) -> Json:
    """The columns of a formula: what is shown, then the part, the whole, and the division."""
    text = f"sum({value.field}, lucene='{value.part}') / sum({value.field})"
    part, whole, math = f"{name}X0", f"{name}X1", f"{name}X2"
    place = {"min": 0, "max": len(text)}
    divide = {"type": "function", "name": "divide", "args": [part, whole], "location": place, "text": text}
    total = _number(Value(f"Part of {text}", "sum", value.field))
    inner = {"label": f"Part of {text}", "customLabel": True, "dataType": "number", "isBucketed": False}
    percent = {"id": "percent", "params": {"decimals": 1}}
    shown = {"operationType": "formula", "references": [math], "scale": "ratio"}
    return {
        name: {
            **inner,
            **shown,
            "label": value.label,
            "params": {"formula": text, "isFormulaBroken": False, "format": percent},
        },
        part: {**total, "filter": {"query": value.part, "language": "lucene"}},
        whole: total,
        math: {
            **inner,
            "operationType": "math",
            "references": [part, whole],
            "scale": "ratio",
            "params": {"tinymathAst": divide},
        },
    }


def _visualization(panel: Panel, layer: str, columns: Json) -> Json:
    values = [name for name in columns if name.startswith("v") and "X" not in name]
    one = {"layerId": layer, "layerType": "data"}
    if panel.chart == "metric":
        return {**one, "metricAccessor": values[0]}
    if panel.chart == "table":
        shown = [name for name in columns if "X" not in name]
        return {**one, "columns": [{"columnId": name} for name in shown]}
    series = "bar_stacked" if panel.chart == "bar" else "line"
    chart = {**one, "seriesType": series, "xAccessor": "x", "accessors": values}
    if panel.by:
        chart["splitAccessor"] = "t0"
    legend = {"isVisible": True, "position": "right"}
    return {
        "preferredSeriesType": series,
        "layers": [chart],
        "valueLabels": "hide",
        "legend": legend,
        "fittingFunction": "None",
    }
