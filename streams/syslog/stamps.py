"""Reads the time that a text begins with, in any dialect of syslog, and says where the rest begins.

It reads RFC 3164's with everything that devices add to it: years before and after, fractions, names and numbers of
zones, weekdays, Cisco's marks (`*` for a clock that was never set, `.` for one that lost its source), and ISO 8601's.
https://www.rfc-editor.org/rfc/rfc3164#section-4.1.2
"""

import re
from dataclasses import dataclass
from datetime import tzinfo

from streams.syslog.timestamps import MONTHS, OFFSETS, civil, in_latest_year, iso, zone_of

_DATE = r"(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?)"
_OFFSET = r" ?(?P<offset>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_DAY = r"(?:(?P<before>[0-9]{4}) )?(?P<month>[A-Za-z]{3}) {1,2}(?P<day>[0-9]{1,2}),? (?:(?P<year>[0-9]{4}),? )?"
_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?"
_KNOWN = "|".join(OFFSETS)
_ZONES = (
    rf"(?: (?P<zone>{_KNOWN})(?= |: )| [A-Z]{{2,5}}(?=: %))?"
    r"(?P<after> [0-9]{4}(?= |: |$))?(?P<numeric> [+-][0-9]{4}(?= |: ))?"
)
_STAMP = re.compile(
    rf"(?P<mark>[*.])?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:{_DATE}{_OFFSET}|{_DAY}{_TIME}){_ZONES}(?:: ?| |$)"
)
_TAI64 = re.compile(r"@([0-9a-f]{16})([0-9a-f]{8})? ")
"""What multilog writes: https://cr.yp.to/libtai/tai64.html"""
_TAI64_EPOCH = (1 << 62) + 10
"""The label of 1970-01-01 UTC, as multilog counts, which knows of no leap seconds since."""
_YEAR_2100 = 4_102_444_800
_BEGINNINGS = frozenset({*MONTHS, "mon", "tue", "wed", "thu", "fri", "sat", "sun"})


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time at the beginning of a text."""

    when: int
    """Microseconds since 1970 UTC."""
    end: int
    """Where the text goes on after it."""
    zoned: bool
    """Whether it names its zone."""
    unset: bool
    """Whether the device says that its clock was never set."""


def read(text: str, received: int, zone: tzinfo) -> Stamp | None:
    """The time that a text begins with, else None. `zone` is for a time that names none, `received` for the year."""
    if text[:1] == "@":
        return _tai64(text)
    if text[:1] not in "0123456789*." and text[:3].lower() not in _BEGINNINGS:
        return None
    found = _STAMP.match(text)
    if found is None:
        return None
    named = (found["offset"] or found["zone"] or found["numeric"] or "").strip()
    own = zone_of(named) if named else None
    if named and own is None:
        return None
    when = _iso(found, own or zone) if found["iso"] else _civil(found, received, own or zone)
    return None if when is None else Stamp(when, found.end(), own is not None, found["mark"] == "*")


def _tai64(text: str) -> Stamp | None:
    found = _TAI64.match(text)
    if found is None:
        return None
    seconds, nanos = int(found[1], 16) - _TAI64_EPOCH, int(found[2] or "0", 16)
    if not 0 <= seconds <= _YEAR_2100 or nanos >= 1_000_000_000:
        return None
    return Stamp(seconds * 1_000_000 + nanos // 1000, found.end(), True, False)


def _iso(found: re.Match[str], zone: tzinfo) -> int | None:
    return iso(found["iso"].upper(), zone)


def _civil(found: re.Match[str], received: int, zone: tzinfo) -> int | None:
    month = MONTHS.get(found["month"].lower())
    if month is None:
        return None
    day, hour, minute, second = (int(found[part]) for part in ("day", "hour", "minute", "second"))
    moment = (month, day, hour, minute, second)
    year = found["year"] or found["before"] or found["after"]
    when = civil(int(year), moment, zone) if year else in_latest_year(moment, received, zone)
    return None if when is None else when + int((found["fraction"] or "").ljust(6, "0")[:6])
