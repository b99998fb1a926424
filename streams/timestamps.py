"""From a timestamp's text to microseconds since 1970 UTC; nothing here raises, None says that it is no time.

Without a year, a time means the year that puts it nearest to its receipt; without a zone, the given one.
RFC 3164 section 4.1.2, RFC 3339 section 5.6.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

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
_SURELY_NEAREST = 182 * 86400 * MICROSECOND
_NEAR_YEARS = (0, -1, 1, -2, 2, -3, 3, -4, 4)
_CACHED = 8192
_CLF = re.compile(r"([0-9]{1,2})/([A-Za-z]{3})/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{4})")
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")


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


@lru_cache(_CACHED)
def clf(stamp: str) -> int | None:
    """The time of a web server's log: `24/Nov/2026:04:05:06 +0100`."""
    found = _CLF.fullmatch(stamp)
    if found is None:
        return None
    day, month, year, hour, minute, second, offset = found.groups()
    zone, number = zone_of(offset), MONTHS.get(month.lower())
    if zone is None or number is None:
        return None
    return civil(int(year), (number, int(day), int(hour), int(minute), int(second)), zone)


def civil(year: int, moment: Moment, zone: tzinfo) -> int | None:
    """The time of a calendar date and a clock in a zone. A leap second is the first of the next minute."""
    month, day, hour, minute, second = moment
    leap = 1 if second == 60 else 0
    try:
        return micros(datetime(year, month, day, hour, minute, second - leap, tzinfo=zone)) + leap * MICROSECOND
    except (ValueError, OverflowError):
        return None


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
        if known is not None and -_SURELY_NEAREST < known - received < _SURELY_NEAREST:
            return known
        when = self._read_bsd(stamp, received)
        if when is not None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            self._known[stamp] = when
        return when

    def _read_bsd(self, stamp: str, received: int) -> int | None:
        month = MONTHS.get(stamp[:3].lower())
        try:
            day, hour, minute, second = int(stamp[4:6]), int(stamp[7:9]), int(stamp[10:12]), int(stamp[13:15])
        except ValueError:
            return None
        return None if month is None else self.nearest((month, day, hour, minute, second), received)

    def nearest(self, moment: Moment, received: int, zone: tzinfo | None = None) -> int | None:
        """The time without a year, in `zone` or the clock's own, that lies nearest to `received`."""
        year, nearest = _year(received), None
        for step in _NEAR_YEARS:
            when = civil(year + step, moment, zone or self.zone)
            if when is not None and (nearest is None or abs(when - received) < abs(nearest - received)):
                nearest = when
                if abs(when - received) < _SURELY_NEAREST:
                    break
        return nearest

    def iso(self, stamp: str) -> int | None:
        """The time of an RFC 3339 or ISO 8601 stamp; `T` or a space between date and time, `Z`, `+01:00`, `+0100`
        or no zone, a fraction after a point or a comma (finer than a microsecond is cut)."""
        try:
            when = datetime.fromisoformat(stamp)
        except ValueError:
            return self._leap_second(stamp)
        try:
            return micros(when if when.tzinfo else when.replace(tzinfo=self.zone))
        except OverflowError:
            return None

    def _leap_second(self, stamp: str) -> int | None:
        if stamp[16:19] != ":60":
            return None
        when = self.iso(stamp[:16] + ":59" + stamp[19:])
        return None if when is None else when + MICROSECOND


def _year(received: int) -> int:
    try:
        return (_EPOCH + timedelta(microseconds=received)).year
    except OverflowError:
        return 1970
