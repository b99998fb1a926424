"""From a JSON record of one of Zeek's logs to columns.

Enters: what Zeek 3 to 8 writes with `LogAscii::use_json=T` (a log is told by its members, or by `_path`) and with the
package json-streaming-logs (`_path`, `_write_ts`), names such as `id.orig_h` flat or taken apart; also
`{"conn": {...}}`, as shippers wrap records. Logs that are not listed in `streams.zeek.kinds` are read by their common
members. Tab-separated logs are not read: a line of theirs means nothing without the head of its file.
https://docs.zeek.org/en/current/log-formats.html

Zeek guesses from the sizes of packets whether a login by ssh went well: an outcome, but no attempt. What both ends of a
protocol of authentication said is one (`streams.zeek.logins`).
"""

from typing import Any

from streams.base import StateStore, Stream
from streams.common.packets import set_type
from streams.zeek import logins
from streams.zeek.json_fields import MEMBERS
from streams.zeek.kinds import KINDS, OTHER
from streams.zeek.names import log_of, nested, unwrapped
from streams.zeek.postprocess import FINISH, ports_of_icmp
from topics.event import Event


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a record may be one of Zeek's: its members are looked at when it is parsed."""
    return "ts" in record or len(record) == 1


def parse_json(record: dict[str, Any], event: Event, joins: StateStore) -> bool:
    """Columns of one record; False, and `event` untouched, when nothing tells a log of Zeek's."""
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
    MEMBERS[log].take(record, event)
    if log in FINISH:
        FINISH[log](event, record)
    logins.count(log, event, record)
    set_type(event)
    name = log if log != "other" else _name(record.get("_path"))
    event.setdefault("event_action", name)
    event["event_dataset"] = f"zeek.{name}"
    return True


def _name(path: Any) -> str:
    """The name that a log of one's own has."""
    fit = type(path) is str and len(path) < 64 and path.isascii() and path.replace("_", "").isalnum()
    return path.lower() if fit else "other"


STREAM = Stream(name="zeek", parse_json=parse_json, sniff_json=sniff_json)
