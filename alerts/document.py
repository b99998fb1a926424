"""Renders an alert as an ECS document: the record of the topic `alerts`, and what Elasticsearch stores.

What people do with an alert is added by `topics.documents.alert`. The author, references and licence of its rule are in
every document, as DRL 1.1 demands. https://www.elastic.co/docs/reference/ecs
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from alerts.alert import OpenAlert
from alerts.correlation.judge import AnyRule
from alerts.rules.correlation import Correlation
from alerts.rules.model import Rule
from topics.documents.alert import DATASET
from topics.documents.ecs import VERSION, iso
from topics.documents.placement import place

_SEVERITY = {"informational": 10, "low": 21, "medium": 47, "high": 73, "critical": 99}
"""Risk scores, as Elastic Security has them for these levels."""
_TACTICS = {
    "reconnaissance": "TA0043", "resource-development": "TA0042", "initial-access": "TA0001", "execution": "TA0002",
    "persistence": "TA0003", "privilege-escalation": "TA0004", "defense-evasion": "TA0005",
    "credential-access": "TA0006", "discovery": "TA0007", "lateral-movement": "TA0008", "collection": "TA0009",
    "command-and-control": "TA0011", "exfiltration": "TA0010", "impact": "TA0040",
}  # fmt: skip
"""https://attack.mitre.org/tactics/enterprise/"""
_RELATED = {"ip": ("source.ip", "destination.ip"), "user": ("user.name",), "hosts": ("host.hostname",)}


def group_of(rule: AnyRule, key: tuple[str, ...]) -> dict[str, str]:
    """What an alert is about: the ECS names of what its rule groups by, and their values."""
    names = rule.group_by
    if isinstance(rule, Correlation) and rule.stages:
        names = rule.stages[0].group
    if not names:
        return {"source.ip" if _is_address(key[0]) else "group": key[0]} if key and key[0] else {}
    return {name: value for name, value in zip(names, key, strict=False) if value}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def document(rule: AnyRule, key: tuple[str, ...], alert: OpenAlert, now: int, silenced: bool = False) -> dict[str, Any]:
    """The document of an alert's newest revision at `now`, microseconds since 1970, the time of its log."""
    about, group = rule.about, group_of(rule, key)
    found: dict[str, Any] = {
        "@timestamp": iso(now),
        "ecs": {"version": VERSION},
        "message": _title(rule, group, alert),
        "event": {
            "kind": "alert", "id": alert.id, "dataset": DATASET, "module": "ogrewatch",
            "start": iso(alert.first), "end": iso(alert.last), "reason": _reason(rule, alert),
            "severity": _SEVERITY.get(about.level, 47), "risk_score": float(_SEVERITY.get(about.level, 47)),
            "category": ["intrusion_detection"], "type": ["info"],
        },
        "rule": _present({
            "id": rule.id, "name": about.title, "description": about.description, "author": _list(about.author),
            "license": about.license, "reference": " ".join(about.references), "version": rule.revision,
            "uuid": rule.id,
        }),
        "ogrewatch": {"alert": _alert(rule, group, alert, silenced)},
    }  # fmt: skip
    if threat := _threat(about.tags):
        found["threat"] = threat
    for name, value in group.items():
        if name != "group":
            place(found, name, value)
    if related := _related(group):
        found["related"] = related
    return found


def _alert(rule: AnyRule, group: dict[str, str], alert: OpenAlert, silenced: bool) -> dict[str, Any]:
    about = rule.about
    found: dict[str, Any] = {
        "level": about.level, "rule": rule.name, "group": [f"{name}={value}" for name, value in group.items()],
        "count": alert.count, "revision": alert.number, "over": alert.over, "previous": alert.previous,
        "window": {"start": iso(alert.window.begin), "end": iso(alert.window.end)},
        "samples": alert.samples, "tags": list(about.tags), "runbook": about.runbook,
        "false_positives": list(about.false_positives), "silenced": silenced,
        "evidence": [_present({"id": one.id, "at": iso(one.at), "line": one.line}) for one in alert.evidence],
    }  # fmt: skip
    if isinstance(rule, Correlation):
        found["kind"] = rule.kind
        found["limit"] = rule.threshold.limit
        found["window"] |= {"seconds": rule.span}
        found["found"] = alert.window.found
    else:
        found["kind"] = "event"
    return _present(found)


def _title(rule: AnyRule, group: dict[str, str], alert: OpenAlert) -> str:
    who = ", ".join(group.values())
    times = f" ({alert.count:,} events)" if alert.count > 1 else ""
    return f"{rule.about.title}{': ' if who else ''}{who}{times}"


def _reason(rule: AnyRule, alert: OpenAlert) -> str:
    """Why the rule fired: what was found, what its limit is, in which time."""
    if isinstance(rule, Rule):
        return f"{alert.count:,} events match {rule.name}"
    span = f"within {rule.span:,.0f} s"
    if rule.kind.startswith("temporal"):
        return f"{len(rule.stages)} rules {'in this order ' if rule.kind == 'temporal_ordered' else ''}matched {span}"
    than = "more than" if rule.threshold.operator == "gt" else "at least"
    value = f" of {rule.stages[0].value}" if rule.stages and rule.stages[0].value else ""
    what = {"event_count": "events", "value_count": "values"}.get(rule.kind, rule.kind.removeprefix("value_"))
    return f"{alert.window.found:g} {what}{value} {span}, and the rule asks for {than} {rule.threshold.limit:g}"


def _threat(tags: tuple[str, ...]) -> dict[str, Any]:
    """Tactics and techniques of MITRE ATT&CK that a rule's tags name."""
    names = [tag.partition(".")[2].lower().replace("_", "-") for tag in tags if tag.lower().startswith("attack.")]
    tactics = [name for name in names if name in _TACTICS]
    techniques = [name.upper() for name in names if name[:1] == "t" and name[1:5].isdigit()]
    found: dict[str, Any] = {}
    if tactics:
        found["tactic"] = {"name": tactics, "id": [_TACTICS[name] for name in tactics]}
    if techniques:
        found["technique"] = {"id": list(dict.fromkeys(name.partition(".")[0] for name in techniques))}
        if deep := [name for name in techniques if "." in name]:
            found["technique"]["subtechnique"] = {"id": deep}
    return {"framework": "MITRE ATT&CK", **found} if found else {}


def _related(group: dict[str, str]) -> dict[str, list[str]]:
    found = {name: list(_values(group, fields)) for name, fields in _RELATED.items()}
    return {name: values for name, values in found.items() if values}


def _values(group: dict[str, str], fields: tuple[str, ...]) -> Iterator[str]:
    for name in fields:
        if value := group.get(name):
            yield value


def _list(text: str) -> list[str]:
    return [part for part in (one.strip() for one in text.split(",")) if part]


def _present(found: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty; False and 0 are something."""
    return {name: value for name, value in found.items() if value not in ("", [], None)}
