"""Puts together the document of an alert as it is stored: what the detect role says of it, and what people did with it.

A record of the topic `alerts` is an ECS document whose `ogrewatch.alert.revision` counts the revisions of the detect
role; one of `alerts.acts` is an act (`topics.records.acts`). Both are merged into what is stored already:

- of two revisions the later one counts;
- acts count in the order of their offsets, each once: `ogrewatch.alert.acts` lists them, and the rest follows from it.

So the outcome does not depend on the order in which records are merged, nor on records that are read again, and the
index can be made anew from the topics. Each change raises the document's version by one; it is written under
that version (`operation`), and whoever was overtaken meanwhile is refused, reads again and merges again.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from topics.documents.ecs import VERSION, iso
from topics.records.acts import Act

DATASET = "ogrewatch.alert"
OPEN, ACKNOWLEDGED, CLOSED = "open", "acknowledged", "closed"
MOST_ACTS = 100
"""Acts that a document lists; of more, the oldest notes go, then the oldest others."""
_STATUS = {"acknowledge": ACKNOWLEDGED, "close": CLOSED, "reopen": OPEN}
_OF_PEOPLE = ("status", "verdict", "assignee", "comment", "acted_at", "acted_by", "acts")

Document = dict[str, Any]


class PlacedAct(NamedTuple):
    """An act, and its offset in the topic."""

    offset: int
    act: Act


def merge(
    stored: Mapping[str, Any] | None, revisions: Iterable[Document], acts: Iterable[PlacedAct]
) -> Document | None:
    """The document of an alert after revisions and acts; None if they change nothing. The arguments are not changed."""
    before = dict(stored) if stored else None
    found = before
    for revision in revisions:
        found = _revised(found, revision)
    for placed in sorted(acts, key=lambda placed: placed.offset):
        found = _acted(found, placed)
    return None if found is before else found


def _revised(stored: Document | None, revision: Document) -> Document:
    before = about(stored)
    if stored is not None and about(revision)["revision"] <= before.get("revision", 0):
        return stored
    kept = {name: before[name] for name in _OF_PEOPLE if name in before}
    return _with(revision, {"status": OPEN, **about(revision), **kept})


def _acted(stored: Document | None, placed: PlacedAct) -> Document | None:
    offset, act = placed
    before = about(stored)
    acts: list[Document] = list(before.get("acts", ()))
    if any(one["offset"] == offset for one in acts):
        return stored
    at = iso(act.at * 1000)
    entry = {"offset": offset, "kind": act.kind, "by": act.by, "at": at, "comment": act.comment,
             "verdict": act.verdict, "assignee": act.assignee}  # fmt: skip
    acts.append({name: value for name, value in entry.items() if value != ""})
    acts.sort(key=lambda one: int(one["offset"]))
    if len(acts) > MOST_ACTS:
        acts.remove(next((one for one in acts if one["kind"] == "note"), acts[0]))
    kept = {name: value for name, value in before.items() if name not in _OF_PEOPLE}
    return _with(stored or _unknown(act, at), {**kept, "status": OPEN, **_sum(acts), "acts": acts})


def _sum(acts: list[Document]) -> Document:
    """What acts lead to, in their order: each changes what it speaks of."""
    found: Document = {}
    for act in acts:
        found |= {"acted_at": act["at"], "acted_by": act["by"]}
        found |= {name: act[name] for name in ("comment", "assignee") if name in act}
        if act["kind"] in _STATUS:
            found["status"] = _STATUS[act["kind"]]
        if act["kind"] in ("close", "reopen"):
            found["verdict"] = act.get("verdict")
    return {name: value for name, value in found.items() if value}


def _unknown(act: Act, at: str) -> Document:
    """The document of an alert of which only an act was read yet."""
    return {
        "@timestamp": at, "ecs": {"version": VERSION}, "message": "(an alert that was not read yet)",
        "event": {"kind": "alert", "id": act.alert, "dataset": DATASET, "module": "ogrewatch"},
    }  # fmt: skip


def about(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is below `ogrewatch.alert` of a document."""
    return dict((document or {}).get("ogrewatch", {}).get("alert", {}))


def _with(document: Document, alert: dict[str, Any]) -> Document:
    return {**document, "ogrewatch": {**document.get("ogrewatch", {}), "alert": alert}}


def operation(index: str, identity: str, version: int, document: Document) -> bytes:
    """The two lines of a bulk request that store a document under a version, unless one as late is there.

    https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
    """
    action = {"_index": index, "_id": identity, "version": version, "version_type": "external", "require_alias": True}
    return orjson.dumps({"index": action}) + b"\n" + orjson.dumps(document) + b"\n"
