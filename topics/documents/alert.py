"""Puts together the document of an alert as it is stored: what the detect role says of it, and what people did with it.

A record of the topic `alerts` is an ECS document whose `ogrewatch.alert.revision` counts the revisions of the detect
role; one of `alerts.acts` is an act (`topics.records.acts`). Both are merged into what is stored already:

- of two revisions the later one counts;
- acts count in the order of their offsets, each once: `ogrewatch.alert.acts_offset` is that of the last.

So the outcome does not depend on how the records of both topics are interleaved, nor on records that are read again,
and the index can be made anew from the topics. Each change raises the document's version by one; it is written under
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
"""Acts that a document lists; of more, the last ones."""
_STATUS = {"acknowledge": ACKNOWLEDGED, "close": CLOSED, "reopen": OPEN}
_OF_PEOPLE = ("status", "verdict", "assignee", "comment", "acted_at", "acted_by", "acts", "acts_offset")

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


def _acted(stored: Document | None, placed: PlacedAct) -> Document:
    offset, act = placed
    before = about(stored)
    if offset <= before.get("acts_offset", -1):
        return stored or {}
    at = iso(act.at * 1000)
    entry = {"kind": act.kind, "by": act.by, "at": at, "comment": act.comment, "verdict": act.verdict}
    now = {
        **before,
        "status": _STATUS.get(act.kind, before.get("status", OPEN)),
        "acted_at": at,
        "acted_by": act.by,
        "acts": [*before.get("acts", ()), {name: text for name, text in entry.items() if text}][-MOST_ACTS:],
        "acts_offset": offset,
    }
    if act.kind in ("close", "reopen"):
        now["verdict"] = act.verdict or None
    for name in ("comment", "assignee"):
        if text := getattr(act, name):
            now[name] = text
    return _with(stored or _unknown(act, at), {name: value for name, value in now.items() if value is not None})


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
