"""Renders an event as the nested ECS document that is stored and printed, with the fields that can be derived.

https://www.elastic.co/docs/reference/ecs
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from topics.avro.overflow import from_overflow
from topics.documents.long_names import without_long_names
from topics.documents.placement import place
from topics.event import Event
from topics.fields import FIELDS

VERSION = "8.17.0"
_LAST = 253_402_300_799  # seconds since 1970: the end of year 9999, after which ISO 8601 needs more digits

_FACILITIES = (
    *("kernel", "user-level", "mail", "system", "security/authorization", "syslog", "lpr", "network-news"),
    *("uucp", "clock", "security/authorization", "ftp", "ntp", "log-audit", "log-alert", "clock"),
    *(f"local{n}" for n in range(8)),
)
_SEVERITIES = ("Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug")
_CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
_SHAPED = frozenset(c for c in FIELDS if c.startswith("ogrewatch_raw_") or c.endswith(("_geo_lat", "_geo_lon"))) | {
    "timestamp",
    "event_created",
    "log_syslog_priority",
}
_PLAIN = [
    (f.column, f.absent, f.ecs.rpartition(".")[0].split(".") if "." in f.ecs else [], f.ecs.rpartition(".")[2])
    for f in FIELDS.values()
    if f.column not in _SHAPED
]
RELATED = {
    "ip": ("source_ip", "destination_ip"),
    "user": ("user_name", "user_effective_name", "user_target_name"),
    "hosts": ("host_hostname",),
}

_OF_ENDS = ("address", "geo", "as")
_OF_SYSLOG = ("facility", "severity", "hostname", "appname", "procid")
DERIVED = frozenset({"@timestamp", "ecs", "event.created", "event.module", "host.name", "log.syslog.priority"}) | {
    *(f"related.{name}" for name in RELATED),
    *(f"log.syslog.{name}" for name in _OF_SYSLOG),
    *(f"{end}.{name}" for end in ("source", "destination") for name in _OF_ENDS),
}
"""Fields that `render` derives from columns with other names, and objects that it makes as a whole."""


def render(event: Event) -> dict[str, Any]:
    """The ECS document of an event. Columns may be missing or have their absent value; `extra` is a dictionary."""
    event = from_overflow(event)
    document: dict[str, Any] = {"@timestamp": iso(event["timestamp"]), "ecs": {"version": VERSION}}
    get = event.get
    for column, absent, path, leaf in _PLAIN:
        value = get(column)
        if value is not None and value != absent:
            node = document
            for part in path:
                node = node.setdefault(part, {})
            node[leaf] = value
    _derive(document, event)
    for name, value in without_long_names(event.get("extra") or {}).items():
        place(document, name, value)
    return document


def iso(micros: int) -> str:
    """Format microseconds since 1970 as ISO 8601 in UTC, with three or, if needed, six decimals."""
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{rest // 1000:03d}Z" if rest % 1000 == 0 else f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _derive(document: dict[str, Any], event: Event) -> None:
    about = document.setdefault("event", {})
    about.setdefault("kind", "event")
    if dataset := about.get("dataset"):
        about["module"] = dataset.partition(".")[0]
    if (created := event.get("event_created", -1)) not in (-1, 0):
        about["created"] = iso(created)
    _derive_host(document, event)
    for end in ("source", "destination"):
        _derive_place(document, event, end)
    related = {name: _values(event, columns) for name, columns in RELATED.items()}
    if any(related.values()):
        document["related"] = {name: values for name, values in related.items() if values}


def _derive_host(document: dict[str, Any], event: Event) -> None:
    host = event.get("host_hostname")
    if host:
        document["host"]["name"] = host
    priority = event.get("log_syslog_priority", -1)
    if priority < 0:
        return
    syslog = document.setdefault("log", {}).setdefault("syslog", {})
    facility, severity = divmod(priority, 8)
    syslog["priority"] = priority
    syslog["facility"] = {"code": facility, "name": _FACILITIES[facility] if facility < 24 else str(facility)}
    syslog["severity"] = {"code": severity, "name": _SEVERITIES[severity]}
    process = document.get("process", {})
    for name, value in (("hostname", host), ("appname", process.get("name")), ("procid", process.get("pid"))):
        if value:
            syslog[name] = str(value)


def _derive_place(document: dict[str, Any], event: Event, end: str) -> None:
    if address := event.get(f"{end}_ip"):
        document[end].setdefault("address", address)
    latitude, longitude = event.get(f"{end}_geo_lat", 0.0), event.get(f"{end}_geo_lon", 0.0)
    if latitude or longitude:
        document.setdefault(end, {}).setdefault("geo", {})["location"] = {"lat": latitude, "lon": longitude}
    if continent := _CONTINENTS.get(event.get(f"{end}_geo_continent_code", "")):
        document[end]["geo"]["continent_name"] = continent


def _values(event: Event, names: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(value for name in names if (value := event.get(name))))
