"""Reads what an event is counted by from the first columns of its Avro body, in half the time of a general reader.

Nearly all attempts look alike: numbers of a known length and short names. These are read here. All others are read by
`topics.avro.codec.decode_head`, with the same result. Values that repeat are cached.
https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
"""

import struct
from functools import lru_cache
from typing import Final, NamedTuple

from topics.avro.codec import EVENTS, PREFIX, decode_head, is_attempt

LONGEST = 256
"""Characters of a name. Longer names are cut, because whoever tries to log in chooses the user name."""


class AttemptHeader(NamedTuple):
    """What an attempt is counted by."""

    number: int
    """Of attempts."""
    time: int
    """Microseconds since 1970."""
    source: tuple[str, int]
    """Raw topic and partition."""
    offset: int
    """In the raw partition."""
    outcome: str
    service: str
    address: str
    user: str
    host: str
    country: str


_new = tuple.__new__  # makes a header in half the time of its class, which matters at one of each attempt

ARRIVAL: Final = slice(14, 22)
"""Where the time of arrival is in an event whose own time is encoded in eight bytes, as all times of this century are.
Events with equal bytes there arrived at the same time."""

_TODAY = EVENTS.today
_MORE = 0x80  # bit of a byte: the number continues in the next one
_UNUSUAL = _MORE | 1  # bits of a byte: the number continues, or is negative
_EIGHT = struct.Struct("<Q")
_TWO = struct.Struct("<QQ")
_MORES, _EIGHT_BYTES = 0x8080_8080_8080_8080, 0x0080_8080_8080_8080  # the number ends with the eighth byte
_CACHED = 4_096  # values in each cache


def decode_attempt(value: bytes) -> AttemptHeader | None:
    """The header of an event; None if it is not an attempt. Raises as `topics.avro.codec.decode` does."""
    if not is_attempt(value):
        return None
    if value[:PREFIX] in _TODAY:
        try:
            return _decode_current(value) or _decode_any(value)
        except (ValueError, IndexError, struct.error):
            pass  # unusual or damaged: the general reader decides
    return _decode_any(value)


def arrival(value: bytes) -> int:
    """When the raw record of an event reached Kafka, in milliseconds since 1970. Raises as `topics.avro.codec.decode`
    does.
    """
    found = stamp(value)
    return (_time(found) if found else int(decode_head(value)["event_created"])) // 1000


def stamp(value: bytes) -> bytes:
    """The bytes at `ARRIVAL` if they are the time of arrival, which they are in nearly all events; else no bytes."""
    if value[:PREFIX] not in _TODAY or len(value) < ARRIVAL.stop or value[PREFIX] & _MORE:
        return b""
    times = _EIGHT.unpack_from(value, PREFIX + 1)[0], _EIGHT.unpack_from(value, ARRIVAL.start)[0]
    return value[ARRIVAL] if all(time & _MORES == _EIGHT_BYTES for time in times) else b""


def outcome_and_service(value: bytes) -> bytes:
    """Bytes that are equal for events, of today's schemas, with the same number of attempts, outcome and service.

    No bytes for an event in which they are not where they are in nearly all events.
    """
    try:
        times = _TWO.unpack_from(value, PREFIX + 1)
        i = 24 + (value[22] >> 1)
        unusual = value[22] | value[i - 1] & _MORE
        while value[i] & _MORE:  # the raw offset
            i += 1
        j = i + 2 + (value[i + 1] >> 1)
        k = j + 1 + (value[j] >> 1)
        unusual |= value[i + 1] | value[j]
    except (IndexError, struct.error):
        return b""
    usual = times[0] & _MORES == times[1] & _MORES == _EIGHT_BYTES and not unusual & _UNUSUAL and k <= len(value)
    return value[5:6] + value[i + 1 : k] if usual else b""


def _decode_any(value: bytes) -> AttemptHeader | None:
    event = decode_head(value)
    if event["ogrewatch_attempt"] <= 0:
        return None
    return AttemptHeader(
        event["ogrewatch_attempt"],
        event["timestamp"],
        (event["ogrewatch_raw_topic"], event["ogrewatch_raw_partition"]),
        event["ogrewatch_raw_offset"],
        event["event_outcome"],
        event["ogrewatch_service"][:LONGEST],
        event["source_ip"][:LONGEST],
        event["user_name"][:LONGEST],
        event["host_hostname"][:LONGEST],
        event["source_geo_country_iso_code"][:LONGEST],
    )


def _decode_current(value: bytes) -> AttemptHeader | None:
    """Read an event with up to 63 attempts, a time since 1978, a partition below 64 and names of up to 63 bytes.

    For any other event it returns None, or raises what reading past the end raises. There is no loop, because one takes
    twice the time.
    """
    number, at = value[5], _time(value[6:14])
    i = 24 + (value[22] >> 1)
    if _EIGHT.unpack_from(value, 14)[0] & _MORES != _EIGHT_BYTES:  # the time of arrival, which is skipped
        return None
    source, i, more, offset = _source(value[22:i]), i + 1, value[i], value[i] & 0x7F
    shift = 7
    while more & _MORE and shift < 63:
        more = value[i]
        offset |= (more & 0x7F) << shift
        i, shift = i + 1, shift + 7
    a = value[i]
    j = i + 1 + (a >> 1)
    b, outcome = value[j], value[i + 1 : j]
    i = j + 1 + (b >> 1)
    c, service = value[i], value[j + 1 : i]
    j = i + 1 + (c >> 1)
    d, address = value[j], value[i + 1 : j]
    i = j + 1 + (d >> 1)
    e, user = value[i], value[j + 1 : i]
    j = i + 1 + (e >> 1)
    f, host = value[j], value[i + 1 : j]
    i = j + 1 + (f >> 1)
    if (number | a | b | c | d | e | f) & _UNUSUAL or more & _MORE or offset & 1 or i > len(value):
        return None
    return _new(AttemptHeader, (
        number >> 1, at, source, offset >> 1, _text(outcome), _text(service), address.decode(), user.decode(),
        _text(host), _text(value[j + 1 : i]),
    ))  # fmt: skip


@lru_cache(_CACHED)
def _text(text: bytes) -> str:
    return text.decode()


@lru_cache(_CACHED)
def _time(number: bytes) -> int:
    """Decode a number of eight bytes. Raises `ValueError` for one of another length."""
    if _EIGHT.unpack(number)[0] & _MORES != _EIGHT_BYTES:
        raise ValueError("a number of another length")
    found = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(number))
    return (found >> 1) ^ -(found & 1)


@lru_cache(_CACHED)
def _source(text: bytes) -> tuple[str, int]:
    """Decode a string of up to 63 bytes and a number of one byte. Raises `ValueError` for others."""
    if (text[0] | text[-1]) & _UNUSUAL:
        raise ValueError("not a short string and a small number")
    return text[1:-1].decode(), text[-1] >> 1
