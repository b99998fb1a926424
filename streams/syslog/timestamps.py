"""Converts the texts of times to microseconds since 1970 UTC. Nothing here raises: None means that a text is no time.

A time without a year is in the latest year that does not put it after its receipt; one without a zone is in the given
zone. Parsers give an event the time that the message itself tells with `set_civil`, `set_iso` and `set_instant`.
RFC 3164 section 4.1.2, RFC 3339 section 5.6.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from topics.event import Event

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(_MONTHS, start=1)}
OFFSETS = {"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2}
OFFSETS |= {"EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13}
OFFSETS |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "HST": -10}
"""Hours east of Greenwich of the zone names that devices write. Ambiguous ones mean what Cisco IOS means by them."""

Moment = tuple[int, int, int, int, int]
"""Month, day, hour, minute and second: a time but for its year and zone."""

MICROSECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_AHEAD = 36 * 3600 * MICROSECOND
"""How far a clock may be ahead of receipt: an unknown zone is up to 26 hours off."""
_YEAR = 365 * 86400 * MICROSECOND
_YEARS_BACK = tuple(range(0, -9, -1))
"""A 29th of February may have been eight years ago."""
_CACHED = 8192
_LONGEST_CLF = 26
_CLF = re.compile(r"([0-9]{1,2})/([A-Za-z]{3})/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{4})")
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")
_OFFSET_AT_END = re.compile(r"(?:[Zz]|:[0-9]{2}[.,0-9]{0,10} ?[+-][0-9:]{2,6})\Z")
_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,9})?", re.ASCII)
_MOST_NANOSECONDS = 1e20


def micros(when: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time."""
    return (when - _EPOCH) // _TICK


def zone_of(name: str) -> tzinfo | None:
    """The zone that `+01:00`, `+0100`, `Z` or a name such as `CET` means."""
    if found := _OFFSET.fullmatch(name):
        sign, hours, minutes = found.groups("0")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if sign == "-" else offset) if offset < timedelta(hours=24) else None
    hours_east = OFFSETS.get(name.upper())
    return None if hours_east is None else timezone(timedelta(hours=hours_east))


def clf(stamp: str) -> int | None:
    """The time of a web server's log: `24/Nov/2026:04:05:06 +0100`."""
    return _clf(stamp) if len(stamp) <= _LONGEST_CLF else None


@lru_cache(_CACHED)
def _clf(stamp: str) -> int | None:
    """As `clf`, for a short text: long ones would fill the cache."""
    found = _CLF.fullmatch(stamp)
    if found is None:
        return None
    day, month, year, hour, minute, second, offset = found.groups()
    zone, number = zone_of(offset), MONTHS.get(month.lower())
    if zone is None or number is None:
        return None
    return civil(int(year), (number, int(day), int(hour), int(minute), int(second)), zone)


def civil(year: int, moment: Moment, zone: tzinfo, fold: int = 0) -> int | None:
    """The time of a calendar date and a clock in a zone. A leap second is the first of the next minute; `fold` 1 is
    the second of two, when the clock was put back."""
    month, day, hour, minute, second = moment
    leap = 1 if second == 60 else 0
    try:
        when = datetime(year, month, day, hour, minute, second - leap, tzinfo=zone, fold=fold)
        return micros(when) + leap * MICROSECOND
    except (ValueError, OverflowError):
        return None


def in_latest_year(moment: Moment, received: int, zone: tzinfo) -> int | None:
    """The time without a year, in `zone`, in the latest year that puts it no more than 36 hours after `received`: a log
    tells the past, however old it is. Of two, when a clock was put back, the one nearer to `received`."""
    year = _year(received)
    for step in (1, *_YEARS_BACK) if moment[0] == 1 else _YEARS_BACK:
        when = civil(year + step, moment, zone)
        if when is not None and when <= received + _AHEAD:
            second = when if zone is UTC else civil(year + step, moment, zone, 1)
            return second if second and when < second and abs(second - received) < abs(when - received) else when
    return None


def iso(stamp: str, zone: tzinfo) -> int | None:
    """The time of an RFC 3339 or ISO 8601 stamp; `T` or a space between date and time, `Z`, `+01:00`, `+0100` or, in
    `zone`, nothing after it, a fraction after a point or a comma (finer than a microsecond is cut)."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return _leap_second(stamp, zone)
    try:
        return micros(when if when.tzinfo else when.replace(tzinfo=zone))
    except OverflowError:
        return None


def _leap_second(stamp: str, zone: tzinfo) -> int | None:
    if stamp[16:19] != ":60":
        return None
    when = iso(stamp[:16] + ":59" + stamp[19:], zone)
    return None if when is None else when + MICROSECOND


def _year(received: int) -> int:
    try:
        return (_EPOCH + timedelta(microseconds=received)).year
    except OverflowError:
        return 1970


ZONE = "_zone"
"""Where an event holds the zone of times that name none while it is parsed; absent for UTC."""


def set_civil(event: Event, moment: Moment, year: int | None = None, fraction: str = "", zone: str = "") -> bool:
    """Set the event's time to what its message says; False, and nothing set, when there is no such time.

    Without a year it is the latest that does not put it after the time the event has so far (its header's, or that of
    receipt).
    `fraction` is the digits after the second. `zone` is a name or offset as the message has it; without one, or with
    one that nobody knows, the zone of the source's setting is assumed, and noted in `event.timezone`.
    """
    named = zone_of(zone) if zone else None
    place = named or event.get(ZONE, UTC)
    when = in_latest_year(moment, event["timestamp"], place) if year is None else civil(year, moment, place)
    if when is None:
        return False
    event["timestamp"] = when + int(fraction.ljust(6, "0")[:6])
    if named is None:
        note_zone(event)
    return True


def set_iso(event: Event, stamp: str, zone: str = "") -> bool:
    """As `set_civil`, of a stamp such as `2026-11-24 04:05:06.789`, with or without an offset of its own."""
    named = zone_of(zone) if zone else None
    when = iso(stamp, named or event.get(ZONE, UTC))
    if when is None:
        return False
    event["timestamp"] = when
    if named is None and _OFFSET_AT_END.search(stamp) is None:
        note_zone(event)
    return True


def set_instant(event: Event, value: Any) -> bool:
    """As `set_iso`, of a JSON value: an ISO stamp, or seconds, milliseconds, microseconds or nanoseconds since 1970."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return set_iso(event, value)
        value = float(value) if "." in value else int(value)
    if type(value) not in (int, float) or not 0 <= value < _MOST_NANOSECONDS:
        return False
    event["timestamp"] = _since_1970(value)
    return True


def _since_1970(value: float) -> int:
    """Microseconds; the unit of `value` is the one that puts it between 1973 and 5138."""
    if value < 1e11:
        return round(value * MICROSECOND)
    return int(value) * 1000 if value < 1e14 else int(value) if value < 1e17 else int(value) // 1000


def note_zone(event: Event) -> None:
    """Say that the event's time was told without a zone."""
    if ZONE in event:
        event.setdefault("extra", {})["event.timezone"] = str(event[ZONE])


class Clock:
    """Resolves times that lack a year or a zone. Remembers the last few thousand stamps. Not for several threads."""

    def __init__(self, zone: str) -> None:
        """`zone` is an IANA name; raises `zoneinfo.ZoneInfoNotFoundError` on another."""
        self.name = zone
        self.zone: tzinfo = UTC if zone in ("UTC", "Etc/UTC") else ZoneInfo(zone)
        self._known: dict[str, int] = {}

    def bsd(self, stamp: str, received: int) -> int | None:
        """The time of `Nov 24 04:05:06` (15 characters, no year, no zone)."""
        known = self._known.get(stamp)
        if known is not None and _AHEAD - _YEAR < known - received <= _AHEAD:
            return known
        when = self._read_bsd(stamp, received)
        if when is not None and self._is_steady(when):
            if len(self._known) >= _CACHED:
                self._known.clear()
            self._known[stamp] = when
        return when

    def _is_steady(self, when: int) -> bool:
        """Whether the zone's clock is not put forward or back about that time, so that a stamp means one time."""
        if self.zone is UTC:
            return True
        about = (datetime.fromtimestamp(when // MICROSECOND + hours * 3600, self.zone) for hours in (-2, 2))
        return len({moment.utcoffset() for moment in about}) == 1

    def _read_bsd(self, stamp: str, received: int) -> int | None:
        month = MONTHS.get(stamp[:3].lower())
        try:
            day, hour, minute, second = int(stamp[4:6]), int(stamp[7:9]), int(stamp[10:12]), int(stamp[13:15])
        except ValueError:
            return None
        return None if month is None else in_latest_year((month, day, hour, minute, second), received, self.zone)
