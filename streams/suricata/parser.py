"""Parses what Suricata logs: alerts, flows, and what it saw of protocols.

It reads EVE records of Suricata 3 to 8, from its file or by syslog, and the alerts of its fast.log, which Snort writes
too (`streams.suricata.fast`). Of a record whose type is not listed in `streams.suricata.kinds` it reads the common
fields. Suricata watches logins of other hosts, and none of them counts as an attempt: they stand in those hosts' own
logs.
https://docs.suricata.io/en/latest/output/eve/eve-json-format.html

The hosts that are watched choose names, URLs and certificates. Each is the value of a JSON field of its own, and
nothing else is read from it.
"""

from typing import Any

from streams.base import StateStore, Stream
from streams.common.packets import set_type
from streams.common.text import extra
from streams.mapping.converters import instant, set_status
from streams.suricata import dns, fast
from streams.suricata.json_fields import FIELD_MAP
from streams.suricata.kinds import KINDS, OTHER, STATES, VERDICTS
from topics.event import Event


def _kind(record: dict[str, Any]) -> Any:
    """The type of a record; an alert may have lost it on its way."""
    alert = record.get("alert")
    stripped = type(alert) is dict and "signature_id" in alert and "src_ip" in record
    return record.get("event_type", "alert" if stripped else None)


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a record is one of Suricata's."""
    kind = _kind(record)
    if type(kind) is not str or "timestamp" not in record:
        return False
    return "flow_id" in record or kind in record or (kind in KINDS and "src_ip" in record)


def parse_json(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    """Columns of one record; False, and `event` untouched, for one without a type."""
    kind = _kind(record)
    if type(kind) is not str or not kind:
        return False
    event.update(KINDS.get(kind) or {**OTHER, "event_action": kind, "event_dataset": "suricata.eve"})
    FIELD_MAP.apply(record, event)
    set_type(event)
    _set_verdict(event, record)
    if "flow" in record or "netflow" in record:
        _set_flow(event, record)
    if "dns" in record:
        dns.postprocess(event, record)
    if kind in ("http", "http2"):
        set_status(event)
    if not event.get("extra", True):
        del event["extra"]
    return True


def _set_verdict(event: Event, record: dict[str, Any]) -> None:
    """Set the engine's own verdict on an alert."""
    alert = record.get("alert")
    action = alert.get("action") if type(alert) is dict else None
    if event["event_kind"] == "alert" and type(action) is str and action in VERDICTS:
        event["event_type"] = VERDICTS[action]


def _set_flow(event: Event, record: dict[str, Any]) -> None:
    fields = extra(event)
    _add(fields, "network.bytes", event.get("source_bytes"), event.get("destination_bytes"))
    _add(fields, "network.packets", fields.get("source.packets"), fields.get("destination.packets"))
    flow = record.get("flow")
    if event["event_action"] == "flow" and type(flow) is dict and type(state := flow.get("state")) is str:
        event["event_type"] = STATES.get(state, event["event_type"])
    start, end = instant(fields.get("event.start")), instant(fields.get("event.end"))
    if start is not None and end is not None and start <= end:
        fields["event.duration"] = (end - start) * 1000


def _add(fields: dict[str, Any], name: str, *parts: int | None) -> None:
    """Set the sum of both directions."""
    if (total := sum(part for part in parts if part)) and total < 2**63:
        fields[name] = total


STREAM = Stream(
    name="suricata",
    programs=("suricata", "snort"),
    parse=fast.parse,
    longest=fast.LONGEST,
    sniff=fast.sniff,
    parse_json=parse_json,
    sniff_json=sniff_json,
)
