"""Parses requests that nginx logs as JSON: `log_format ... escape=json` with nginx's variables.

nginx has no JSON format of its own; fields are recognised when they have the names of the variables in them.
https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format, https://nginx.org/en/docs/varindex.html
"""

from typing import Any

from streams.base import StateStore
from streams.common import weblog
from streams.common.http_requests import set_target
from streams.common.text import extra, host_port, is_ip, number
from streams.mapping.json_fields import Converter, FieldMap
from streams.syslog.timestamps import clf, set_instant
from topics.event import Event

NAME = "nginx.access"
_LONGEST = 65536


def parse_json(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    """Columns of one request; False, and `event` untouched, for what has no status or no request."""
    status = number(str(record.get("status", record.get("response_status"))), 3)
    if status is None or not isinstance(record.get("request", record.get("request_uri")), str):
        return False
    event.update(weblog.of_status(status))
    FIELD_MAP.apply(record, event)
    weblog.count_refusal(event)
    return True


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a record has nginx's variables."""
    answered = "status" in record or "response_status" in record
    return answered and "remote_addr" in record and ("request" in record or "request_uri" in record)


def _set_local(event: Event, value: Any) -> bool:
    when = clf(value) if type(value) is str else None
    if when is None:
        return set_instant(event, value)
    event["timestamp"] = when
    return True


def _set_request(event: Event, value: Any) -> bool:
    if type(value) is not str or len(value) > _LONGEST:
        return False
    set_target(value, event, NAME)
    return True


def _set_uri(event: Event, value: Any) -> bool:
    """Set the target alone, when the record has no request line."""
    if type(value) is not str or len(value) > _LONGEST:
        return False
    if "url_original" not in event:
        set_target(f"{event.get('http_request_method', 'GET')} {value}", event, NAME)
    return True


def _set_host(event: Event, value: Any) -> bool:
    if type(value) is not str:
        return False
    if value not in ("", "-", "_"):
        extra(event).setdefault("url.domain", value if is_ip(value) else host_port(value)[0] or value)
    return True


def _unless_dash(column: str) -> Converter:
    """Sets a text, unless it is `-`, which stands for none."""

    def set_value(event: Event, value: Any) -> bool:
        if type(value) is not str:
            return False
        if value not in ("", "-"):
            event[column] = value
        return True

    return set_value


FIELD_MAP = FieldMap(
    "nginx",
    {
        "time_local": _set_local,
        "time_iso8601": "timestamp",
        "@timestamp": "timestamp",
        "timestamp": _set_local,
        "msec": "timestamp",
        "remote_addr": "source_ip",
        "remote_port": "source_port",
        "remote_user": _unless_dash("user_name"),
        "request": _set_request,
        "request_method": "http_request_method",
        "request_uri": _set_uri,
        "status": "http_response_status_code",
        "response_status": "http_response_status_code",
        "body_bytes_sent": "http_response_body_bytes",
        "bytes_sent": "http.response.bytes",
        "request_length": "http.request.bytes",
        "http_referer": _unless_dash("http_request_referrer"),
        "http_referrer": _unless_dash("http_request_referrer"),
        "http_user_agent": _unless_dash("user_agent_original"),
        "server_addr": "destination_ip",
        "server_port": "destination_port",
        "http_host": _set_host,
        "host": _set_host,
        "server_name": _set_host,
    },
)
