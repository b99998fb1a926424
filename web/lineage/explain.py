"""Explains a line: header, stream, attempt, enrichment, topic and rules, and which part of it became which field.

Correlation state is not available here, so that a line that gets its address from an earlier one of its connection
lacks it; a stored event has it.
"""

import base64
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import alerts
from agents.pipeline import Pipeline
from agents.settings import Settings
from streams.base import MemoryState
from streams.dispatch import UNPARSED, UNPARSED_JSON
from topics.avro.codec import CodecError, encode
from topics.catalogue import typed
from topics.documents.ecs import iso, render
from topics.event import Event, key_of, kind_of
from topics.fields import FIELDS
from topics.records.provenance import ENDPOINT, IDENTITY, SENDER
from web.lineage.records import RawRecord
from web.lineage.spans import spans

if TYPE_CHECKING:
    from alerts.rules.load import RuleSet

Json = dict[str, Any]

_HEADER = ("host_hostname", "process_name", "process_pid", "log_syslog_priority")
_LONGEST = 64 << 10  # bytes of a line that are shown
_PLACED = ("geo", "as")
_SENT = {SENDER: "sender", IDENTITY: "identity", ENDPOINT: "endpoint"}


class Explainer:
    """Explains lines as normalize would read them. Methods block; not for several threads at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pipeline: Pipeline | None = None

    def line(self, raw: bytes, program: str | None = None) -> Json:
        """Everything about a line that is not stored."""
        event, kind = self._event(raw, time.time_ns() // 1000, program)
        shown = {
            "raw": {**_text(raw), "topic": None, "partition": None, "offset": None, "timestamp": None, "key": None}
        }
        return shown | self._explained(event, kind, raw) | {"event": render(event)}

    def record(self, record: RawRecord) -> Json:
        """Everything about a record of a raw topic, but its document."""
        event, kind = self._event(record.value, record.timestamp * 1000, None)
        return {"raw": raw_of(record), **self._explained(event, kind, record.value), "parsed": render(event)}

    def _event(self, raw: bytes, received: int, program: str | None) -> tuple[Event, str]:
        if self._pipeline is None:
            self._pipeline = Pipeline(self._settings)
        event = self._pipeline.event(raw, received, MemoryState(), program)
        return event, kind_of(event)

    def _explained(self, event: Event, kind: str, raw: bytes) -> Json:
        text = raw[:_LONGEST].decode("utf-8", "backslashreplace")
        steps = [_header(event), _stream(event), _attempt(event), _enriched(event)]
        steps.append(_typed(event, self._settings.prefix + typed(kind)))
        steps.append(_rules(event, kind))
        return {"steps": steps, "spans": spans(text, event)}


def raw_of(record: RawRecord) -> Json:
    """A record of a raw topic: where it is, when it came and who sent it."""
    sent = {
        _SENT[name]: value.decode("utf-8", "backslashreplace")
        for name, value in record.headers
        if name in _SENT and value
    }
    key = None if record.key is None else record.key.decode("utf-8", "backslashreplace")
    return {
        "topic": record.topic, "partition": record.partition, "offset": record.offset, "key": key,
        "timestamp": iso(max(0, record.timestamp) * 1000), **_text(record.value), "received": sent,
    }  # fmt: skip


def _text(raw: bytes) -> Json:
    """A line as readable text and exact; of a very long one the beginning, and how many bytes it has."""
    shown = raw[:_LONGEST]
    text, exact = shown.decode("utf-8", "backslashreplace"), base64.b64encode(shown).decode()
    return {"text": text, "base64": exact, "bytes": len(raw)}


def _header(event: Event) -> Json:
    fields = {FIELDS[column].ecs: event[column] for column in _HEADER if column in event}
    read = f"written {iso(event['timestamp'])}" + (f" on {event['host_hostname']}" if "host_hostname" in event else "")
    return _step("header", read if fields else "no header of syslog", {"@timestamp": iso(event["timestamp"]), **fields})


def _stream(event: Event) -> Json:
    dataset = event.get("event_dataset", "")
    if event.get("event_kind") == "pipeline_error":
        return _step("stream", f"could not be read: {event.get('error_message', '')}", {})
    if dataset in (UNPARSED, UNPARSED_JSON):
        return _step("stream", "no stream understood it; it is stored as it is", {"event.dataset": dataset})
    names = ("event_dataset", "event_action", "event_outcome", "user_name", "source_ip")
    return _step("stream", f"{dataset} understood it", {FIELDS[c].ecs: event[c] for c in names if c in event})


def _attempt(event: Event) -> Json:
    number = event.get("ogrewatch_attempt", 0)
    if number <= 0:
        return _step("attempt", "no attempt to log in, so that it is not counted", {})
    minute = iso(event["timestamp"] // 60_000_000 * 60_000_000)[:16].replace("T", " ")
    outcome, service = event.get("event_outcome", "unknown"), event.get("ogrewatch_service", "unknown")
    says = f"counted: {number} {outcome} at {service}, minute {minute} UTC"
    return _step("attempt", says, {"ogrewatch.attempt": number, "ogrewatch.service": service})


def _enriched(event: Event) -> Json:
    fields = {FIELDS[c].ecs: v for c, v in event.items() if c in FIELDS and set(c.split("_")) & set(_PLACED)}
    names = [event.get(f"source_{name}") for name in ("geo_country_iso_code", "geo_city_name", "as_organization_name")]
    says = ", ".join(str(name) for name in names if name)
    return _step("enrich", says or "no address with a known place", fields)


def _typed(event: Event, topic: str) -> Json:
    return _step("index", f"goes to {topic}, key {key_of(event).decode(errors='replace')!r}", {"topic": topic})


def _rules(event: Event, kind: str) -> Json:
    """Which packaged rules hold for the event alone; correlations need further ones."""
    try:
        rules = _packaged()
        names = [match.rule.name for match in _engine(kind).match([encode(kind, event)])]
    except CodecError as error:
        return _step("rule", f"cannot be judged: {error}", {})
    says = (
        f"{', '.join(names)} of {len(rules.rules)} packaged rules"
        if names
        else f"none of {len(rules.rules)} packaged rules"
    )
    return _step("rule", says, {"rules": names})


@cache
def _packaged() -> "RuleSet":
    from alerts.rules.load import load_folder

    return load_folder(Path(alerts.__file__).parent / "pack")


@cache
def _engine(kind: str) -> Any:
    from alerts.engine.engines import PlainEngine

    return PlainEngine(kind, _packaged().rules.values())


def _step(name: str, says: str, fields: Json) -> Json:
    return {"step": name, "at": None, "says": says, "fields": fields}
