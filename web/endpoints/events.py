"""Answers where an event came from, what would become of a line, and which dead letters there are."""

import asyncio
import base64
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from confluent_kafka import KafkaException

from agents.settings import Settings
from topics.catalogue import RAW
from topics.documents.ecs import iso
from topics.errors import OgrewatchError
from topics.records.deadletter import DeadLetter
from web import parameters
from web.endpoints.search import note
from web.lineage.explain import Explainer, raw_of
from web.lineage.records import Identity, RawRecord, identity_of, newest_letters, raw_record
from web.replies import Refused, error, reply
from web.store.client import StoreAway
from web.store.events import StoredEvents

EXPLAIN = "/api/v1/explain"
"""A POST that changes nothing: whoever may look may send it."""
_AROUND = 10  # lines of the host before and after
_KEPT = 5.0  # seconds for which a look at dead letters serves all
_LONGEST = 32 << 10  # bytes of a line that is explained

Json = dict[str, Any]


@dataclass(slots=True)
class EventEndpoints:
    """The handlers."""

    settings: Settings
    events: StoredEvents
    explainer: Explainer
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _letters: list[DeadLetter] = field(default_factory=list)
    _looked: float = float("-inf")

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        return [
            web.get("/api/v1/events/{id}", self.event),
            web.post(EXPLAIN, self.explain),
            web.get("/api/v1/deadletters", self.deadletters),
        ]

    async def event(self, request: web.Request) -> web.Response:
        """Answer with an event or a dead letter: its document, its raw record and the steps between them."""
        parameters.require_known(request)
        wanted = identity_of(request.match_info["id"])
        if wanted is None:
            return error(HTTPStatus.BAD_REQUEST, "an id is <raw topic>-<partition>-<offset>, as raw.syslog-1-14369")
        note(request)
        found, missing = await self._stored(wanted)
        record = await self._raw(wanted)
        letter = await self._letter(wanted) if wanted.component or found is None else None
        if found is None and letter is None and isinstance(record, str):
            return error(HTTPStatus.NOT_FOUND, f"nothing is known of {wanted.event}. {missing or record}")
        shown = await self._explained(record, found, letter)
        about = await self._around(found["event"]) if found is not None else {"before": [], "after": []}
        return reply({"id": wanted.event, "store_error": missing or None, **shown, **about})

    async def explain(self, request: web.Request) -> web.Response:
        """Answer with what would become of a line: `{"line": ..., "program": ...}`, or the line as text."""
        line, program = await _line(request)
        async with self._lock:
            found = await asyncio.to_thread(self.explainer.line, line, program)
        return reply(
            {
                "id": None,
                "store_error": None,
                "raw_missing": None,
                "dead_letter": None,
                "before": [],
                "after": [],
                **found,
            }
        )

    async def deadletters(self, request: web.Request) -> web.Response:
        """Answer with the newest dead letters, and how many there are of each reason."""
        parameters.require_known(request, "limit")
        limit, letters = parameters.limit(request, 50), await self._newest()
        counted = Counter((letter.component, letter.reason) for letter in letters).most_common()
        reasons = [{"component": component, "reason": reason, "count": n} for (component, reason), n in counted]
        shown = [_letter(one) for one in letters[:limit]]
        return reply({"total": len(letters), "reasons": reasons, "deadletters": shown})

    async def _stored(self, wanted: Identity) -> tuple[Json | None, str]:
        """The document, and why there can be none."""
        try:
            return await self.events.document(wanted.event), ""
        except StoreAway as why:
            return None, str(why)

    async def _raw(self, wanted: Identity) -> RawRecord | str:
        try:
            return await asyncio.to_thread(raw_record, self.settings, wanted)
        except (KafkaException, OgrewatchError) as why:
            return f"Kafka does not answer ({_words(why)})."

    async def _explained(self, record: RawRecord | str, found: Json | None, letter: DeadLetter | None) -> Json:
        shown: Json = {"raw": None, "steps": [], "spans": [], "raw_missing": None}
        if isinstance(record, RawRecord):
            async with self._lock:
                shown |= await asyncio.to_thread(self.explainer.record, record)
        elif letter is not None:
            shown["raw"] = raw_of(_of_letter(letter))
            shown["raw_missing"] = record
        else:
            shown["raw_missing"] = record + self._expired(found)
        shown["event"] = found["event"] if found is not None else shown.pop("parsed", None)
        shown.pop("parsed", None)
        shown["dead_letter"] = _letter(letter) if letter is not None else None
        shown["steps"] = [*_came(shown["raw"]), *shown["steps"], *_ended(found, letter)]
        return shown

    def _expired(self, found: Json | None) -> str:
        """When Kafka was to delete the record, as far as the event says when it came."""
        created = found["event"].get("event", {}).get("created") if found is not None else None
        if not isinstance(created, str):
            return ""
        expired = datetime.fromisoformat(created) + timedelta(seconds=RAW[0].retention)
        return f" It was kept until {expired:%Y-%m-%d %H:%M} UTC."

    async def _around(self, event: Json) -> Json:
        host = event.get("host", {}).get("hostname")
        if not host:
            return {"before": [], "after": []}
        try:
            before, after = await self.events.neighbours(host, event["@timestamp"], _AROUND)
        except StoreAway:
            return {"before": [], "after": []}
        return {"before": before, "after": after}

    async def _letter(self, wanted: Identity) -> DeadLetter | None:
        """The newest dead letter about a record."""
        of = (wanted.topic, wanted.partition, wanted.offset)
        fitting = [one for one in await self._newest() if (one.topic, one.partition, one.offset) == of]
        return next((one for one in fitting if wanted.component in ("", one.component)), None)

    async def _newest(self) -> list[DeadLetter]:
        """Raises Refused when Kafka does not answer."""
        async with self._lock:
            if time.monotonic() - self._looked > _KEPT:
                try:
                    self._letters = await asyncio.to_thread(newest_letters, self.settings)
                except (KafkaException, OgrewatchError) as why:
                    text = f"Kafka does not answer ({_words(why)})."
                    raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, text, wait=2) from None
                self._looked = time.monotonic()
        return self._letters


async def _line(request: web.Request) -> tuple[bytes, str | None]:
    """The line of a body, and the program that wrote it. Raises Refused."""
    body = await request.read()
    line, program = body, None
    if request.content_type == "application/json":
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as why:
            raise Refused(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {why}") from None
        said, program = (found.get("line"), found.get("program")) if isinstance(found, dict) else (None, None)
        if not isinstance(said, str) or not isinstance(program, str | None):
            raise Refused(HTTPStatus.BAD_REQUEST, 'the body is {"line": "...", "program": "..." or absent}')
        line = said.encode("utf-8", "surrogatepass")
    if len(line) > _LONGEST:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a line to explain has at most {_LONGEST} bytes")
    return line, program or None


def _came(raw: Json | None) -> list[Json]:
    if raw is None or raw["topic"] is None:
        return []
    by = raw["received"].get("endpoint") or "Kafka directly"
    who = raw["received"].get("identity") or raw["received"].get("sender") or ""
    where = f"{raw['topic']} {raw['partition']} @ {raw['offset']}, key {raw['key']}"
    says = f"came by {by}{f' from {who}' if who else ''}: {where}"
    return [{"step": "came", "at": raw["timestamp"], "says": says, "fields": {}}]


def _ended(found: Json | None, letter: DeadLetter | None) -> list[Json]:
    steps = []
    if found is not None:
        steps.append(
            {"step": "stored", "at": None, "says": f"stored in {found['index']}", "fields": {"index": found["index"]}}
        )
    if letter is not None:
        says = f"{letter.component} gave it up: {letter.reason}: {letter.error}"
        steps.append({"step": "dead letter", "at": iso(letter.time * 1000), "says": says, "fields": {"id": letter.id}})
    return steps


def _of_letter(letter: DeadLetter) -> RawRecord:
    return RawRecord(
        letter.topic, letter.partition, letter.offset, letter.timestamp, letter.key, letter.value or b"",
        [(name, value) for name, value in letter.headers],
    )  # fmt: skip


def _letter(letter: DeadLetter) -> Json:
    value = letter.value or b""
    return {
        "id": letter.id, "component": letter.component, "version": letter.version, "time": iso(letter.time * 1000),
        "topic": letter.topic, "partition": letter.partition, "offset": letter.offset, "reason": letter.reason,
        "error": letter.error, "text": value[:2000].decode("utf-8", "backslashreplace"),
        "base64": base64.b64encode(value[:_LONGEST]).decode(), "cut": letter.cut,
        "command": f"ogrewatch deadletter replay '{letter.id}'",
    }  # fmt: skip


def _words(why: Exception) -> str:
    first = why.args[0] if why.args else why
    return first.str() if hasattr(first, "str") else str(first)
