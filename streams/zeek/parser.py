"""Parses the JSON records of Zeek's logs.

It reads what Zeek 3 to 8 writes with `LogAscii::use_json=T` (the log is recognised by its fields, or by `_path`) and
with the package json-streaming-logs (`_path`, `_write_ts`), with names such as `id.orig_h` flat or nested; also
`{"conn": {...}}`, as shippers wrap records. Of logs that are not listed in `streams.zeek.kinds` it reads the common
fields. It does not read tab-separated logs: a line of theirs means nothing without the header of its file.
https://docs.zeek.org/en/current/log-formats.html

Zeek guesses from the sizes of packets whether an ssh login succeeded: that sets an outcome, but is not counted as an
attempt. A verdict of an authentication protocol is counted (`streams.zeek.logins`, streams/ATTEMPTS.md).
"""

from typing import Any

from streams.base import StateStore, Stream
from streams.common.packets import set_type
from streams.zeek import logins
from streams.zeek.json_fields import FIELD_MAPS
from streams.zeek.kinds import KINDS, OTHER
from streams.zeek.names import log_of, nested, unwrapped
from streams.zeek.postprocess import POSTPROCESS, ports_of_icmp
from topics.event import Event


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a record may be one of Zeek's; `parse_json` looks at its other keys."""
    return "ts" in record or len(record) == 1


def parse_json(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    """Columns of one record; False, and `event` untouched, when it is of no log of Zeek's."""
    if "ts" in record:
        record = nested(record)
        log = log_of(record)
    else:
        log, record = unwrapped(record) or (None, record)
        record = nested(record)
    if log is None:
        return False
    event.update(KINDS.get(log, OTHER))
    ports_of_icmp(record)
    FIELD_MAPS[log].apply(record, event)
    if log in POSTPROCESS:
        POSTPROCESS[log](event, record)
    logins.count(log, event, record)
    set_type(event)
    name = log if log != "other" else _name(record.get("_path"))
    event.setdefault("event_action", name)
    event["event_dataset"] = f"zeek.{name}"
    return True


def _name(path: Any) -> str:
    """The name of a log that `streams.zeek.kinds` does not list."""
    fit = type(path) is str and len(path) < 64 and path.isascii() and path.replace("_", "").isalnum()
    return path.lower() if fit else "other"


STREAM = Stream(name="zeek", parse_json=parse_json, sniff_json=sniff_json)
