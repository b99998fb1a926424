"""Parses the header of a syslog line: when it was written, by whom, and the message without its header.

It reads RFC 3164 and the dialects of it that relays and devices write (`streams.syslog.stamps`,
`streams.syslog.origin`), RFC 5424 (`streams.syslog.rfc5424`), the ISO stamps of rsyslog's files and journalctl,
octet-counted frames (RFC 6587). A text without a header is all message, and its time is that of receipt.
https://www.rfc-editor.org/rfc/rfc3164#section-4
"""

import re
from collections.abc import Callable, Container

from streams.common.text import extra
from streams.syslog import origin, rfc5424, stamps
from streams.syslog.timestamps import OFFSETS, Clock, iso
from topics.event import Event

_PRI_PART = r"(?:<([0-9]{1,3})>)?"
_BSD = r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[0-9.,]{0,10}(?:Z|[+-][0-9:]{4,5})"
_HOST = r"[^\s\[/@(]{0,254}[^\s:\[/@(]"
_ORIGIN = rf"({_HOST}) ([^\s:\[%/(0-9][^\s:\[(]{{0,127}})(?:\[([0-9]{{1,10}})\]: ?|:(?: |$))"
_COMMON = re.compile(rf"{_PRI_PART}(?:({_BSD})|({_ISO})) {_ORIGIN}")
"""The usual line: `<38>Aug  4 15:01:25 host sshd[57911]: message`. No two parts of it can match the same text."""

_CISCO = re.compile(rf"{_PRI_PART}({_BSD}) ({_HOST}) (?:: )?(?=%[A-Z])")
"""The usual line of a device that has no tag: `<166>Aug  4 15:01:25 fw01 : %ASA-6-302013: message`."""

_FRAME = re.compile(r"[1-9][0-9]{0,7} (?=<[0-9]{1,3}>)")
_PRI = re.compile(r"<([0-9]{1,3})>")
_SEQUENCE = re.compile(r"([0-9]{1,10}): (?:(?![0-9]{1,10}: )([\w.:-]{1,255}): )?(?:([0-9]{1,10}): )?|: ?(?=[*.A-Z0-9])")
_NODE = re.compile(r"[A-Z]{2,3}(?:/[0-9A-Z]{1,8}){2,4}: ?")
_SOLARIS = re.compile(r"[ \t]{0,16}\[ID ([0-9]{1,10}) [a-z0-9]{2,8}\.[a-z]{3,8}\] ")
_NOT_HOSTS = frozenset([*OFFSETS, *map(str, range(1970, 2100)), *origin.LEVELS])
_HIGHEST_PRI = 191


class Headers:
    """Reads headers. Not for several threads at once."""

    def __init__(
        self, zone: str = "UTC", programs: Container[str] = (), headless: Callable[[str], object] = lambda text: False
    ) -> None:
        """`zone` is the IANA zone of stamps that name none; `programs` are the names that may stand as a tag without a
        colon after it; `headless` says of a line without a PRI that it is of a log that has no syslog headers, though
        its beginning may look like one."""
        self._clock = Clock(zone)
        self.zone = self._clock.zone
        self._programs = programs
        self._headless = headless

    def read(self, text: str, received: int) -> Event:
        """The base columns of a line, whatever it is. `received` is in microseconds since 1970 UTC."""
        found = _COMMON.match(text)
        if found is None or found[4] in _NOT_HOSTS:
            return self._read_untagged(text, received)
        pri, bsd, stamp, host, program, pid = found.groups()
        when = self._clock.bsd(bsd, received) if bsd else iso(stamp, self.zone)
        if when is None:
            return self._read_dialect(text, received)
        message = text[found.end() :]
        event = {
            "timestamp": when,
            "host_hostname": host,
            "process_name": program,
            "message": message,
            "event_original": text,
        }
        if pid:
            event["process_pid"] = int(pid)
        if pri and (priority := int(pri)) <= _HIGHEST_PRI:
            event["log_syslog_priority"] = priority
        if bsd:
            self._note_zone(event)
        if "[ID " in message[:20]:
            _read_solaris_id(event)
        return event

    def _read_untagged(self, text: str, received: int) -> Event:
        found = _CISCO.match(text)
        when = self._clock.bsd(found[2], received) if found and found[3] not in _NOT_HOSTS else None
        if found is None or when is None:
            return self._read_dialect(text, received)
        message = text[found.end() :]
        event = {"timestamp": when, "host_hostname": found[3], "message": message, "event_original": text}
        if found[1] and (priority := int(found[1])) <= _HIGHEST_PRI:
            event["log_syslog_priority"] = priority
        self._note_zone(event)
        return event

    def _note_zone(self, event: Event) -> None:
        if self._clock.name != "UTC":
            extra(event)["event.timezone"] = self._clock.name

    def _read_dialect(self, text: str, received: int) -> Event:
        event: Event = {"timestamp": received, "message": text, "event_original": text}
        if text.startswith("{"):
            return event
        rest = _read_priority(text, event)
        headed = "log_syslog_priority" in event
        if (headed or rest.startswith("1 ")) and rfc5424.read(rest, event, self._clock):
            _read_solaris_id(event)
            return event
        if not headed and self._headless(text):
            return event
        rest = _read_sequence(rest, event)
        stamp = stamps.read(rest, received, self.zone)
        if stamp is None:
            if not origin.read_lone_tag(rest, event, headed) and headed:
                event["message"] = rest
            return event
        self._set_time(stamp, event)
        self._read_origin(rest[stamp.end :], received, event)
        _read_solaris_id(event)
        return event

    def _set_time(self, stamp: stamps.Stamp, event: Event) -> None:
        event["timestamp"] = stamp.when
        if not stamp.zoned:
            self._note_zone(event)

    def _read_origin(self, rest: str, received: int, event: Event) -> None:
        """Host and tag, either of which may be missing, then the message."""
        if "host_hostname" not in event:
            rest = origin.read_host(rest, event, self._programs)
        rest = self._read_inner(rest, received, event)
        origin.read_tag(rest, event, self._programs)

    def _read_inner(self, rest: str, received: int, event: Event) -> str:
        """What follows the header that a device wrote and a relay kept after its own. The device's time holds, unless
        it says that its clock was never set."""
        found: Event = {}
        inner = _read_sequence(rest, found)
        stamp = stamps.read(inner, received, self.zone)
        if stamp is None and not inner.startswith("%"):
            return rest
        if "extra" in found:
            extra(event).update(found.pop("extra"))
        event.update(found)
        if stamp is None:
            return inner
        if not stamp.unset:
            self._set_time(stamp, event)
        inner = inner[stamp.end :]
        return inner if found else origin.read_host(inner, event, self._programs)


def _read_priority(text: str, event: Event) -> str:
    """Read octet count, byte order mark and PRI, and return what follows; `text` itself when there is no PRI."""
    rest = text.removeprefix("\ufeff")
    if framed := _FRAME.match(rest):
        rest = rest[framed.end() :]
    found = _PRI.match(rest)
    if found is None or int(found[1]) > _HIGHEST_PRI:
        return text
    event["log_syslog_priority"] = int(found[1])
    return rest[found.end() :]


def _read_sequence(rest: str, event: Event) -> str:
    """Read the sequence number of Cisco IOS, the host and the device's own number that may come after it, and the node
    of IOS XR. Return what follows."""
    rest = rest.lstrip(" ")
    if found := _SEQUENCE.match(rest):
        if found[2]:
            event["host_hostname"] = found[2]
        if found[1]:
            extra(event)["event.sequence"] = int(found[3] or found[1])
        rest = rest[found.end() :]
    if node := _NODE.match(rest):
        rest = rest[node.end() :]
    return rest


def _read_solaris_id(event: Event) -> None:
    if found := _SOLARIS.match(event["message"]):
        extra(event)["log.syslog.msgid"] = found[1]
        event["message"] = event["message"][found.end() :]
