"""Makes aiormq accept message properties that RabbitMQ lets pass and its decoder (pamqp) does not.

That is text that is not UTF-8, times beyond the calendar, and tables with unreadable values.
https://www.rabbitmq.com/amqp-0-9-1-errata
"""

import datetime
from typing import Any

from pamqp import decode


def accept_any_properties() -> None:
    """Replace decoders of this process. Otherwise one such message would end every connection it arrives over."""
    decode.METHODS.update(shortstr=_short_text, timestamp=_moment, table=_table)


def _short_text(value: bytes) -> tuple[int, str]:
    end = value[0] + 1
    return end, value[1:end].decode("utf-8", "backslashreplace")


def _moment(value: bytes) -> tuple[int, datetime.datetime | None]:
    """Return None for a time beyond the calendar, as when a publisher counts in nanoseconds."""
    try:
        return decode.timestamp(value)
    except (ValueError, OverflowError, OSError):
        return 8, None


def _table(value: bytes) -> tuple[int, Any]:
    """Return an empty table when a value in it cannot be read."""
    try:
        return decode.field_table(value)
    except (ValueError, OverflowError, OSError, KeyError):
        return 4 + int.from_bytes(value[:4], "big"), {}
