"""From a line and its time of receipt to base columns: when, who wrote it, and the message without its header.

RFC 3164 and the dialects of it that relays and devices write, RFC 5424 (`streams.rfc5424`), the ISO stamps of rsyslog's
files and journalctl, octet-counted frames (RFC 6587). A text without a header is all message, its time that of receipt.
https://www.rfc-editor.org/rfc/rfc3164#section-4
"""

import re
from collections.abc import Container
from datetime import tzinfo

from streams import rfc5424
from streams.text import extra, is_ip, number
from streams.timestamps import MONTHS, OFFSETS, Clock, civil, iso, nearest, zone_of
from topics.event import Event

_PRI_PART = r"(?:<([0-9]{1,3})>)?"
_BSD = r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[0-9.,]{0,10}(?:Z|[+-][0-9:]{4,5})"
_ORIGIN = r"([^\s\[]{0,254}[^\s:\[]) ([^\s:\[%/][^\s:\[]{0,127})(?:\[([0-9]{1,10})\])?: ?"
_COMMON = re.compile(rf"{_PRI_PART}(?:({_BSD})|({_ISO})) {_ORIGIN}")
"""The usual line: `<38>Aug  4 15:01:25 host sshd[57911]: message`. No two parts of it can match the same text."""

_FRAME = re.compile(r"[1-9][0-9]{0,7} (?=<[0-9]{1,3}>)")
_PRI = re.compile(r"<([0-9]{1,3})>")
_SEQUENCE = re.compile(r"[0-9]{1,10}: (?:([\w.:-]{1,255}): )?")
_DATE = r"(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?)"
_OFFSET = r" ?(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_DAY = r"(?:(?P<before>[0-9]{4}) )?(?P<month>[A-Za-z]{3}) {1,2}(?P<day>[0-9]{1,2}),? (?:(?P<year>[0-9]{4}),? )?"
_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?"
_ZONES = rf"(?P<zone> (?:{'|'.join(OFFSETS)})(?= |: ))?(?P<after> [0-9]{{4}}(?= ))?(?P<numeric> [+-][0-9]{{4}}(?= ))?"
_DIALECTS = re.compile(
    rf"[*.]?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:{_DATE}{_OFFSET}|{_DAY}{_TIME}){_ZONES}(?:: ?| |$)"
)
_TAG = re.compile(r"([^\s:\[\]]{1,128})(?:\[([^\]\s]{0,64})\])?:(?: |$)")
_BARE_TAG = re.compile(r"([^\s:\[\]]{1,128})\[([^\]\s]{0,64})\](?: |$)")
_PID_TAG = re.compile(r"([A-Za-z][\w./-]{0,127})\[([0-9]{1,10})\]: ")
_HOST = re.compile(r"([A-Za-z0-9_\[][\w.:%@/\[\]-]{0,254}) +")
_FORWARDED = re.compile(r"Message forwarded from (\S{1,255}): ")
_LEVEL = re.compile(r"<[a-z0-9]{2,8}\.[a-z]{3,8}> ")
_NOT_HOSTS = frozenset([*OFFSETS, *map(str, range(1970, 2100))])
_HIGHEST_PRI = 191


class Headers:
    """Reads headers. `zone` is the IANA zone of stamps that name none; `programs` the names that may stand as a tag
    without a colon after it. Not for several threads at once."""

    def __init__(self, zone: str = "UTC", programs: Container[str] = ()) -> None:
        self._clock = Clock(zone)
        self.zone = self._clock.zone
        self._programs = programs

    def read(self, text: str, received: int) -> Event:
        """The base columns of a line, whatever it is. `received` is in microseconds since 1970 UTC."""
        found = _COMMON.match(text)
        if found is None or found[4] in _NOT_HOSTS:
            return self._read_dialect(text, received)
        pri, bsd, stamp, host, program, pid = found.groups()
        when = self._clock.bsd(bsd, received) if bsd else iso(stamp, self._clock.zone)
        if when is None:
            return self._read_dialect(text, received)
        event = {
            "timestamp": when,
            "host_hostname": host,
            "process_name": program,
            "message": text[found.end() :],
            "event_original": text,
        }
        if pid:
            event["process_pid"] = int(pid)
        if pri and (priority := int(pri)) <= _HIGHEST_PRI:
            event["log_syslog_priority"] = priority
        if bsd:
            self._note_zone(event)
        return event

    def _note_zone(self, event: Event) -> None:
        if self._clock.name != "UTC":
            extra(event)["event.timezone"] = self._clock.name

    def _read_dialect(self, text: str, received: int) -> Event:
        event: Event = {"timestamp": received, "message": text, "event_original": text}
        rest = _take_priority(text, event)
        if rest is not text and rfc5424.read(rest, event, self._clock):
            return event
        rest = _take_sequence(rest, event)
        stamp = _DIALECTS.match(rest)
        when = self._resolve(stamp, received) if stamp else None
        if stamp is None or when is None:
            return self._without_stamp(rest, event)
        event["timestamp"] = when
        if not (stamp["offset"] or stamp["zone"] or stamp["numeric"]):
            self._note_zone(event)
        self._take_origin(rest[stamp.end() :], event)
        return event

    def _resolve(self, stamp: re.Match[str], received: int) -> int | None:
        named = (stamp["offset"] or stamp["zone"] or stamp["numeric"] or "").strip()
        zone = zone_of(named) if named else None
        if named and zone is None:
            return None
        if stamp["iso"]:
            return iso(stamp["iso"].upper() + _offset_of(zone), self._clock.zone)
        return self._resolve_bsd(stamp, received, zone)

    def _resolve_bsd(self, stamp: re.Match[str], received: int, zone: tzinfo | None) -> int | None:
        month = MONTHS.get(stamp["month"].lower())
        if month is None:
            return None
        day, hour, minute, second = (int(stamp[part]) for part in ("day", "hour", "minute", "second"))
        moment = (month, day, hour, minute, second)
        year = stamp["year"] or stamp["before"] or stamp["after"]
        if year:
            when = civil(int(year), moment, zone or self._clock.zone)
        else:
            when = nearest(moment, received, zone or self._clock.zone)
        return None if when is None else when + int((stamp["fraction"] or "").ljust(6, "0")[:6])

    def _without_stamp(self, rest: str, event: Event) -> Event:
        """A tag may stand at once after a PRI; without a PRI it must have a pid to be taken for one."""
        tag = (_TAG if "log_syslog_priority" in event else _PID_TAG).match(rest)
        if tag:
            _set_tag(event, tag)
            event["message"] = rest[tag.end() :]
        elif "log_syslog_priority" in event:
            event["message"] = rest
        return event

    def _take_origin(self, rest: str, event: Event) -> None:
        """Host and tag, either of which may be missing, then the message."""
        if forwarded := _FORWARDED.match(rest):
            event["host_hostname"] = forwarded[1]
            rest = rest[forwarded.end() :]
        elif level := _LEVEL.match(rest):
            rest = rest[level.end() :]
        if self._take_tag(rest, event):
            return
        host = None if rest.startswith("%") else _HOST.match(rest)
        if host and "host_hostname" not in event:
            event["host_hostname"] = host[1].rstrip(":") if not is_ip(host[1]) else host[1]
            rest = rest[host.end() :].removeprefix(": ")
        if not self._take_tag(rest, event):
            event["message"] = rest

    def _take_tag(self, rest: str, event: Event) -> bool:
        if rest.startswith("%"):
            return False
        tag = _TAG.match(rest) or _BARE_TAG.match(rest)
        if tag:
            _set_tag(event, tag)
            event["message"] = rest[tag.end() :]
            return True
        word, space, message = rest.partition(" ")
        if space and word in self._programs:
            event["process_name"] = word
            event["message"] = message
            return True
        return False


def _take_priority(text: str, event: Event) -> str:
    """What follows an octet count and a PRI; `text` itself when there is neither."""
    framed = _FRAME.match(text)
    rest = text[framed.end() :] if framed else text
    found = _PRI.match(rest)
    if found is None or int(found[1]) > _HIGHEST_PRI:
        return text
    event["log_syslog_priority"] = int(found[1])
    return rest[found.end() :]


def _take_sequence(rest: str, event: Event) -> str:
    """What follows the sequence number of Cisco IOS, and the host that may come after it."""
    rest = rest.lstrip(" ")
    found = _SEQUENCE.match(rest)
    if found is None:
        return rest
    if found[1]:
        event["host_hostname"] = found[1]
    extra(event)["event.sequence"] = int(found[0].partition(":")[0])
    return rest[found.end() :]


def _set_tag(event: Event, tag: re.Match[str]) -> None:
    """`/usr/sbin/cron` is the program cron; `postfix/smtpd` is a program's own name."""
    name, pid = tag[1], tag[2]
    if name.startswith("/") and (base := name.rpartition("/")[2]):
        event["process_executable"], name = name, base
    event["process_name"] = name
    if pid:
        if (value := number(pid)) is not None:
            event["process_pid"] = value
        else:
            extra(event)["log.syslog.procid"] = pid


def _offset_of(zone: tzinfo | None) -> str:
    return "" if zone is None else str(zone).removeprefix("UTC") or "Z"
