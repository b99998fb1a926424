"""Parses time windows such as `5m`, and rounds them to whole minutes, by which counts are kept."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE = 60
_SHAPE = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_UNITS = {"s": 1, "m": MINUTE, "h": 3600, "d": 86_400}


class BadWindow(ValueError):
    """The text is no window, or one longer than counts are kept. The message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Window:
    """`seconds` as asked for; `since` inclusive and `until` exclusive, epoch seconds, both whole minutes.

    Counts are kept by the minute. The window holds every minute that the time asked for touches, the present one
    included: 5m covers between five and six minutes.
    """

    seconds: int
    since: int
    until: int

    def shown(self) -> dict[str, int | str]:
        """The window in the form that answers show."""
        return {"seconds": self.seconds, "since": iso(self.since), "until": iso(self.until)}


def parse(text: str, now: float, longest: int) -> Window:
    """Return the window that ends now: a number and s, m, h or d, at most `longest` seconds. Raises BadWindow."""
    found = _SHAPE.fullmatch(text)
    if not found:
        raise BadWindow(f"{text!r} is no length of time such as 90s, 5m, 1h or 24h")
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > longest:
        raise BadWindow(f"{text} is longer than counts are kept, {longest} seconds")
    return Window(seconds, _minute(now - seconds), _minute(now) + MINUTE)


def iso(time: float) -> str:
    """Epoch seconds as ISO 8601 in UTC, with milliseconds if there are any."""
    moment = datetime.fromtimestamp(time, UTC)
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def _minute(time: float) -> int:
    return int(time // MINUTE) * MINUTE
