"""Parts of a record as JSON has them in, as Kafka takes them out: partition, headers, timestamp."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from topics.headers import Headers
from topics.records.provenance import CLAIMED, RESERVED

_LATEST = 253_402_300_799_000  # milliseconds: the last second of the year 9999
_MOST_HEADERS = 100


class InvalidField(Exception):
    """A part that cannot be taken; `status` says in which way, `code` in Confluent's, the status when None."""

    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def partition_from(part: Any, count: int) -> int:
    """A partition of a topic that has `count`; -1 when the key chooses. Raises `InvalidField`."""
    if part is None:
        return -1
    if type(part) is not int or part < 0:
        raise InvalidField(422, "a partition is a number from 0")
    if part >= count:
        raise InvalidField(422, f"there is no partition {part}")
    return part


def headers_from(part: Any) -> Headers:
    """Headers as `[{"name": ..., "value": base64}]`. Raises `InvalidField`, also for names that only we write."""
    if part is None:
        return []
    if not isinstance(part, list) or len(part) > _MOST_HEADERS:
        raise InvalidField(422, f"headers are an array of at most {_MOST_HEADERS} objects")
    return [_header(header) for header in part]


def with_claims(headers: Headers, more: Headers, timestamp: int) -> Headers:
    """Our headers of a record, then the sender's, then the time that it claims."""
    if timestamp:
        return [*headers, *more, (CLAIMED, str(timestamp).encode())]
    return headers + more if more else headers


def _header(header: Any) -> tuple[str, bytes | None]:
    name = header.get("name") if isinstance(header, dict) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise InvalidField(422, "a header has a name")
    if name.lower().startswith(RESERVED):
        raise InvalidField(422, f"headers that begin with {RESERVED} are not for senders")
    value = header.get("value")
    if value is None:
        return name, None
    try:
        return name, base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InvalidField(422, "the value of a header is base64") from None


def time_from(part: Any) -> int:
    """ISO 8601 or milliseconds since 1970, as milliseconds; 0, which means now, for none. Raises `InvalidField`."""
    if part is None:
        return 0
    if type(part) is int and 0 <= part <= _LATEST:
        return part
    if isinstance(part, str):
        try:
            moment = datetime.fromisoformat(part)
            return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
        except (ValueError, OverflowError):
            pass
    raise InvalidField(422, "a timestamp is ISO 8601, or milliseconds since 1970")
