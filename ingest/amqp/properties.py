"""Properties of a message as other clients write them in, values out: also what RabbitMQ lets pass and pamqp does not.

https://www.rabbitmq.com/amqp-0-9-1-errata
"""

import datetime
from typing import Any

from pamqp import decode


def tolerate() -> None:
    """Make this process read any properties. Else one message with such would end every connection it comes over."""
    decode.METHODS.update(shortstr=_short_text, timestamp=_moment, table=_table)


def _short_text(value: bytes) -> tuple[int, str]:
    end = value[0] + 1
    return end, value[1:end].decode("utf-8", "backslashreplace")


def _moment(value: bytes) -> tuple[int, datetime.datetime | None]:
    """None for a time beyond the calendar: somebody counts in nanoseconds."""
    try:
        return decode.timestamp(value)
    except (ValueError, OverflowError, OSError):
        return 8, None


def _table(value: bytes) -> tuple[int, Any]:
    """Empty when there is something in it that cannot be read."""
    try:
        return decode.field_table(value)
    except (ValueError, OverflowError, OSError, KeyError):
        return 4 + int.from_bytes(value[:4], "big"), {}
