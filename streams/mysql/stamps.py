"""Reads the times that MySQL and MariaDB write at the beginning of a line.

`2026-11-24T04:05:06.123456Z` (MySQL 5.7 and later), `2026-11-24  4:05:06` (MySQL 5.6, MariaDB 10), `261124  4:05:06`.
"""

import re

from streams.syslog.timestamps import set_civil
from topics.event import Event

STAMP = (
    r"(?:([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]|([0-9]{2})([0-9]{2})([0-9]{2}) ) ?([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,6}))?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
"""A time at the beginning of a line; `set_stamp` reads its eleven groups."""
_GROUPS = 11


def set_stamp(found: re.Match[str], event: Event) -> bool:
    """Set the event's time to that of a match that begins with `STAMP`; False when there is no such time."""
    year, month, day, short, short_month, short_day, hour, minute, second, fraction, zone = found.groups()[:_GROUPS]
    date = (int(year), int(month), int(day)) if year else (2000 + int(short), int(short_month), int(short_day))
    moment = (date[1], date[2], int(hour), int(minute), int(second))
    return set_civil(event, moment, date[0], fraction or "", zone or "")
