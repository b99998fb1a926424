"""Parses time windows such as `5m`, or from a time to another, and rounds them to whole minutes, as counts are kept."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE = 60
LONGEST = 366 * 86_400
"""Seconds of the longest window that can be asked for."""
_SHAPE = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_UNITS = {"s": 1, "m": MINUTE, "h": 3600, "d": 86_400}
_LATEST = 253_402_300_799  # the year 9999


class BadWindow(ValueError):
    """The text is no window, or one that is too long. The message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Window:
    """`seconds` as asked for; `since` inclusive and `until` exclusive, epoch seconds, both whole minutes.

    Counts are kept by the minute. The window holds every minute that the time asked for touches, the present one
    included: 5m covers between five and six minutes. A `fixed` one does not move on with the time.
    """

    seconds: int
    since: int
    until: int
    fixed: bool = False

    def shown(self) -> dict[str, int | str]:
        """The window in the form that answers show."""
        return {"seconds": self.seconds, "since": iso(self.since), "until": iso(self.until)}

    def is_live(self, now: float, keep: float) -> bool:
        """Whether the count workers have all of its minutes; `keep` is for how many seconds they do."""
        return self.seconds <= keep if not self.fixed else self.since >= _minute(now - keep)


def parse(text: str, now: float, longest: int = LONGEST) -> Window:
    """Return the window that ends now: a number and s, m, h or d, at most `longest` seconds. Raises BadWindow."""
    found = _SHAPE.fullmatch(text)
    if not found:
        raise BadWindow(f"{text!r} is no length of time such as 90s, 5m, 1h or 24h")
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > longest:
        raise BadWindow(f"{text} is longer than {longest // 86_400} days")
    return Window(seconds, _minute(now - seconds), _minute(now) + MINUTE)


def between(begin: str, end: str, now: float) -> Window:
    """Return the window of two times in ISO 8601 (UTC where they name no zone); "" as the end is now.

    Raises BadWindow.
    """
    since, until = moment(begin), moment(end) if end else now
    if until <= since:
        raise BadWindow(f"{end!r} is not after {begin!r}")
    if until - since > LONGEST:
        raise BadWindow(f"from {begin} to {end} is longer than {LONGEST // 86_400} days")
    last = _minute(until)
    return Window(int(until - since), _minute(since), last if last == until else last + MINUTE, fixed=True)


def moment(text: str) -> float:
    """Read ISO 8601 as epoch seconds. Raises BadWindow."""
    try:
        found = datetime.fromisoformat(text)
        time = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        time = -1.0
    if not 0 <= time <= _LATEST:
        raise BadWindow(f"{text[:40]!r} is no time such as 2026-05-01T12:00:00Z")
    return time


def iso(time: float) -> str:
    """Epoch seconds as ISO 8601 in UTC, with milliseconds if there are any."""
    found = datetime.fromtimestamp(time, UTC)
    precision = "milliseconds" if found.microsecond >= 1000 else "seconds"
    return found.isoformat(timespec=precision).replace("+00:00", "Z")


def _minute(time: float) -> int:
    return int(time // MINUTE) * MINUTE
