"""Makes exactly one event of a raw record: decodes it, reads its header, and asks the streams that know the program.

A JSON record is parsed once. When it is an envelope, the line within it is dispatched in the same way.
"""

import re
from collections.abc import Iterable
from typing import Any

from streams.base import SHORTEST, StateStore, Stream
from streams.common.text import extra
from streams.envelopes import ecs, mozdef
from streams.envelopes.unwrap import keep_unknown, unwrap
from streams.mapping import json_record
from streams.registry import Registry, discover
from streams.syslog.headers import Headers
from streams.syslog.timestamps import ZONE
from topics.event import Event

UNPARSED = "syslog.unparsed"
"""The dataset of lines that no stream understood."""
UNPARSED_JSON = "json.unparsed"
"""The dataset of JSON records that nobody understood. Their members are in `json`, whole."""
TRUNCATED = "truncated"
"""The tag of events whose message is longer than its source writes, so that only its beginning was parsed."""

Record = dict[str, Any]

_FIRST_OF_RECORDS = frozenset("{@ \ufeff")
_RECORD_STARTS = ("{", "@cee:", " {", " @cee:", "\ufeff{")

_REPEATED = re.compile(r"message repeated ([0-9]{1,9}) times?: \[ ?(.*?) ?\]?", re.DOTALL)
_MOST_REPEATS = 10_000
_BLANKS = " \t"


class Dispatcher:
    """Turns raw lines into events. Not for several threads at once."""

    def __init__(self, zone: str = "UTC", known: Iterable[Stream] | None = None) -> None:
        """`zone` is the IANA zone of times that name none; `known` the streams, all of them when None.

        Raises `zoneinfo.ZoneInfoNotFoundError` for a zone that there is not.
        """
        self._registry = Registry(discover() if known is None else known)
        self._resolved = self._registry.resolved
        self._headers = Headers(zone, self._registry.programs, self._registry.sniffed)
        self._zone = self._headers.zone if zone != "UTC" else None

    def parse(self, raw: bytes, received: int, state: StateStore, program: str | None = None) -> Event:
        """The event of one line. Never raises: what goes wrong becomes an event of kind `pipeline_error`.

        `received` is in microseconds since 1970 UTC. `program` names the writer of a line that may have no header.
        """
        try:
            text = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            text = raw.decode("utf-8", "backslashreplace").rstrip("\r\n")
        if not text or text.isspace():
            return _failed({"timestamp": received, "message": text, "event_original": text}, "empty line")
        event = self._base(text, received, program)
        try:
            self._understand(event, state, program)
            if program and event["event_dataset"] == UNPARSED:
                event = self._whole(text, received, state, program) or event
        except Exception as error:  # a parser's bug must not stop the pipeline; the line is kept with the reason
            event = _failed(self._base(text, received, program), f"{type(error).__name__}: {error}")
        if self._zone:
            del event[ZONE]
        return event

    def _base(self, text: str, received: int, program: str | None) -> Event:
        event = self._headers.read(text, received)
        if program:
            event.setdefault("process_name", program.encode("utf-8", "backslashreplace").decode())
        if self._zone:
            event[ZONE] = self._zone
        return event

    def _whole(self, text: str, received: int, state: StateStore, program: str) -> Event | None:
        """The event of a line as nothing but a message of the caller's program; None when that is not understood."""
        event = self._base("", received, program)
        event["message"] = event["event_original"] = text
        _trim(event)
        self._understand_text(event, state, program)
        return None if event["event_dataset"] == UNPARSED else event

    def _understand(self, event: Event, state: StateStore, program: str | None) -> None:
        message = _trim(event)
        record = _record(message) if message[:1] in _FIRST_OF_RECORDS else None
        if record is not None:
            self._understand_record(record, event, state, program)
        else:
            self._understand_text(event, state, program)

    def _understand_text(self, event: Event, state: StateStore, program: str | None) -> None:
        message: str = event["message"]
        name = event.get("process_name", "")
        if program and not self._registry.known(name):
            name = program
        candidates = self._resolved.get(name)
        if not candidates:
            candidates = self._registry.resolve(name, message)
        if message.startswith("message repeated ") and (found := _REPEATED.fullmatch(message)):
            _ask(candidates, found[2].strip(_BLANKS), event, state)
            _multiply(event, int(found[1]))
        else:
            _ask(candidates, message, event, state)

    def _understand_record(self, record: Record, event: Event, state: StateStore, program: str | None) -> None:
        """A stream's own record, an ECS document, an envelope, or what nobody knows."""
        if self._ask_readers(record, event, state):
            return
        header = self._header_of(event)
        if ecs.sniff(record):
            ecs.parse(record, event)
            event.update(header)
            return
        inner = unwrap(record, event)
        if inner is None:
            self._understand_text(event, state, program)
            if event["event_dataset"] == UNPARSED:
                keep_unknown(record, event)
                event["event_dataset"] = UNPARSED_JSON
            return
        if inner.headed:
            self._read_inner_header(event)
        event.update(header)
        self._understand_inner(event, state, program or inner.program)
        if event["event_dataset"] == mozdef.DATASET:
            mozdef.describe(record, event)

    def _header_of(self, event: Event) -> Event:
        """What the header of a line that holds a record says for sure: an envelope does not speak for another host."""
        columns = ["host_hostname", "log_syslog_priority"]
        if self._registry.known(event.get("process_name", "")):
            columns += ["process_name", "process_pid"]
        return {column: event[column] for column in columns if column in event}

    def _understand_inner(self, event: Event, state: StateStore, program: str | None) -> None:
        """The line in an envelope: perhaps a record of a stream, but no envelope again."""
        dataset, message = event.pop("event_dataset", None), _trim(event)
        record = _record(message)
        if record is not None and self._ask_readers(record, event, state):
            return
        self._understand_text(event, state, program)
        if event["event_dataset"] == UNPARSED:
            event["event_dataset"] = dataset or (UNPARSED if "process_name" in event else UNPARSED_JSON)

    def _read_inner_header(self, event: Event) -> None:
        inner = self._headers.read(event["message"], event["timestamp"])
        del inner["event_original"]
        if fields := inner.pop("extra", None):
            extra(event).update(fields)
        event.update(inner)

    def _ask_readers(self, record: Record, event: Event, state: StateStore) -> bool:
        for stream in self._registry.readers:
            if stream.sniff_json(record) and stream.parse_json(record, event, state):  # type: ignore[misc]
                event.setdefault("event_dataset", stream.name)
                return True
        return False


def _trim(event: Event) -> str:
    """The message without blanks at its ends, which relays add (rsyslog's template of RFC 5424 keeps the one after the
    tag) and some programs write. `event_original` keeps them."""
    message: str = event["message"].strip(_BLANKS)
    event["message"] = message
    return message


def _record(message: str) -> Record | None:
    return json_record.read(message) if message.startswith(_RECORD_STARTS) else None


def _ask(candidates: tuple[Stream, ...], message: str, event: Event, state: StateStore) -> None:
    if len(message) > SHORTEST:
        _ask_of_beginning(candidates, message, event, state)
        return
    for stream in candidates:
        if stream.parse(message, event, state):
            event.setdefault("event_dataset", stream.name)
            return
    event["event_dataset"] = UNPARSED


def _ask_of_beginning(candidates: tuple[Stream, ...], message: str, event: Event, state: StateStore) -> None:
    """The same of a long message: each stream sees as much of it as its source can write, and a tag says so."""
    for stream in candidates:
        if stream.parse(message[: stream.longest], event, state):
            event.setdefault("event_dataset", stream.name)
            if len(message) > stream.longest:
                fields = extra(event)
                fields["tags"] = [*fields.get("tags", ()), TRUNCATED]
            return
    event["event_dataset"] = UNPARSED


def _multiply(event: Event, times: int) -> None:
    extra(event)["ogrewatch.repeated"] = times
    if attempts := event.get("ogrewatch_attempt"):
        event["ogrewatch_attempt"] = attempts * min(times, _MOST_REPEATS)


def _failed(event: Event, reason: str) -> Event:
    event.update(event_kind="pipeline_error", event_dataset=UNPARSED, error_message=reason)
    return event
