"""From raw bytes to exactly one event: decode, read the header, ask the streams that know the program.

Streams are found by folder: every sub-package of `streams` that has a `parser` module with a `STREAM`.
"""

import pkgutil
import re
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import streams
from streams import records
from streams.base import Joins, Stream
from streams.headers import Headers
from streams.text import extra
from streams.timestamps import ZONE
from topics.event import Event

UNPARSED = "syslog.unparsed"
"""The dataset of lines that no stream understood."""
UNPARSED_JSON = "json.unparsed"
"""The dataset of JSON records that nobody understood. Their members are in `json`, whole."""

_RECORD_STARTS = ("{", "@cee:")

_REPEATED = re.compile(r"message repeated ([0-9]{1,9}) times?: \[ ?(.*?) ?\]?", re.DOTALL)
_MOST_REPEATS = 10_000
_REMEMBERED = 4096


def discover() -> tuple[Stream, ...]:
    """Every stream there is, by folder name."""
    folders = sorted(found.name for found in pkgutil.iter_modules(streams.__path__) if found.ispkg)
    named = [f"streams.{folder}.parser" for folder in folders]
    return tuple(import_module(name).STREAM for name in named if find_spec(name))


class Dispatcher:
    """Turns raw lines into events. Not for several threads at once."""

    def __init__(self, zone: str = "UTC", known: Iterable[Stream] | None = None) -> None:
        """`zone` is the IANA zone of times that name none; `known` the streams, all of them when None.

        Raises `zoneinfo.ZoneInfoNotFoundError` for a zone that there is not.
        """
        self._streams = tuple(discover() if known is None else known)
        self._programs: dict[str, tuple[Stream, ...]] = {}
        for stream in self._streams:
            for program in stream.programs:
                self._programs[program] = (*self._programs.get(program, ()), stream)
        self._sniffers = tuple(stream for stream in self._streams if stream.sniff)
        self._readers = tuple(stream for stream in self._streams if stream.sniff_json and stream.parse_json)
        self._resolved: dict[str, tuple[Stream, ...]] = dict(self._programs)
        self._headers = Headers(zone, frozenset(self._programs), self._headless)
        self._zone = self._headers.zone if zone != "UTC" else None

    def parse(self, raw: bytes, received: int, joins: Joins, program: str | None = None) -> Event:
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
            self._understand(event, joins, program)
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

    def _understand(self, event: Event, joins: Joins, program: str | None) -> None:
        message: str = event["message"]
        if message.startswith(_RECORD_STARTS) and self._understand_record(message, event, joins):
            return
        name = program or event.get("process_name", "")
        candidates = self._resolved.get(name)
        if candidates is None or (not candidates and message.startswith("%")):
            candidates = self._resolve(name, message)
        if message.startswith("message repeated ") and (found := _REPEATED.fullmatch(message)):
            _ask(candidates, found[2], event, joins)
            _multiply(event, int(found[1]))
        else:
            _ask(candidates, message, event, joins)

    def _understand_record(self, text: str, event: Event, joins: Joins) -> bool:
        record = records.read(text)
        return record is not None and self._ask_readers(record, event, joins)

    def _ask_readers(self, record: dict[str, Any], event: Event, joins: Joins) -> bool:
        for stream in self._readers:
            if stream.sniff_json(record) and stream.parse_json(record, event, joins):  # type: ignore[misc]
                event.setdefault("event_dataset", stream.name)
                return True
        return False

    def _resolve(self, name: str, message: str) -> tuple[Stream, ...]:
        """The streams for a program that is not listed as it stands, for a Cisco tag, or for a line without both."""
        if message.startswith("%"):
            return self._programs.get(message.partition("-")[0], ())
        if not name:
            return self._sniffed(message)
        found = self._programs.get(name.rpartition("/")[2].lower()) or self._programs.get(name.partition("/")[0], ())
        if len(self._resolved) < _REMEMBERED and len(name) < 64:
            self._resolved[name] = found
        return found

    def _sniffed(self, text: str) -> tuple[Stream, ...]:
        return tuple(stream for stream in self._sniffers if stream.sniff and stream.sniff(text))

    def _headless(self, text: str) -> bool:
        return any(stream.sniff and stream.sniff(text) for stream in self._sniffers)


def _ask(candidates: tuple[Stream, ...], message: str, event: Event, joins: Joins) -> None:
    for stream in candidates:
        if stream.parse(message, event, joins):
            event.setdefault("event_dataset", stream.name)
            return
    event["event_dataset"] = UNPARSED


def _multiply(event: Event, times: int) -> None:
    extra(event)["ogrewatch.repeated"] = times
    if attempts := event.get("ogrewatch_attempt"):
        event["ogrewatch_attempt"] = attempts * min(times, _MOST_REPEATS)


def _failed(event: Event, reason: str) -> Event:
    event.update(event_kind="pipeline_error", event_dataset=UNPARSED, error_message=reason)
    return event
