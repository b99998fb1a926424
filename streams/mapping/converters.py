"""Converts JSON values that are more than a text or a number: dates, sizes, booleans, hashes, DNs, URLs, DNS answers.

Each is a `Converter` for a table of `streams.mapping.json_fields`, or a function that makes one. A value may be of any
type and size; time is proportional to its size. https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

import re
from collections.abc import Iterable
from typing import Any

from streams.common.packets import mac, set_transport
from streams.common.text import extra, host_port, is_ip, number
from streams.mapping.json_fields import Converter
from streams.syslog.timestamps import set_instant
from topics.documents.ecs import iso
from topics.event import Event

_MOST = 2**63
_MOST_SECONDS = 9e9
_TRUTHS = {True: True, False: False, "true": True, "false": False, "True": True, "False": False, "T": True, "F": False}
_PARTS = {
    "CN": "common_name",
    "C": "country",
    "L": "locality",
    "O": "organization",
    "OU": "organizational_unit",
    "ST": "state_or_province",
    "S": "state_or_province",
}
_PART = re.compile(r"(?:^|[,/] {0,4})([A-Z]{1,2})=((?:\\.|[^,\\])*)", re.DOTALL)
_LONGEST_NAME = 4096
_ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://([^/?#]*)", re.DOTALL)


def relate(event: Event, kind: str, values: Iterable[str]) -> None:
    """Add to `related.ip`, `related.user`, `related.hosts` or `related.hash`, each value once."""
    name = "related." + kind
    if found := dict.fromkeys((*event.get("extra", {}).get(name, ()), *values)):
        extra(event)[name] = list(found)


def instant(value: Any) -> int | None:
    """Microseconds since 1970 of a time in JSON, in UTC when it names no zone; None when it is no time."""
    event: Event = {}
    return event["timestamp"] if set_instant(event, value) else None


def whole_number(value: Any) -> int | None:
    """A number that is whole, not negative and fits into 64 bits, perhaps written as text."""
    found = number(value) if type(value) is str else value
    return found if type(found) is int and 0 <= found < _MOST else None


def nanoseconds(value: Any) -> int | None:
    """Seconds as nanoseconds, None when the value is no length of time."""
    return round(value * 1e9) if type(value) in (int, float) and 0 <= value < _MOST_SECONDS else None


def strings(value: Any) -> list[str]:
    """A text, or a list of texts only, as a list without empty ones; [] for any other value."""
    if type(value) is str:
        return [value] if value else []
    if type(value) is list and all(type(part) is str for part in value):
        return [part for part in value if part]
    return []


def date(*names: str) -> Converter:
    """Sets a time, as ISO 8601 in UTC."""

    def set_value(event: Event, value: Any) -> bool:
        when = instant(value)
        if when is None:
            return False
        extra(event).update(dict.fromkeys(names, iso(when)))
        return True

    return set_value


def whole(name: str) -> Converter:
    """Sets a whole number that is not negative."""

    def set_value(event: Event, value: Any) -> bool:
        found = whole_number(value)
        if found is None:
            return False
        extra(event)[name] = found
        return True

    return set_value


def duration(event: Event, value: Any) -> bool:
    """Sets the length of the event, given in seconds."""
    found = nanoseconds(value)
    if found is None:
        return False
    extra(event)["event.duration"] = found
    return True


def truth(name: str) -> Converter:
    """Sets a boolean, which may come as text."""

    def set_value(event: Event, value: Any) -> bool:
        found = _TRUTHS.get(value) if type(value) in (bool, str) else None
        if found is None:
            return False
        extra(event)[name] = found
        return True

    return set_value


def outcome(event: Event, value: Any) -> bool:
    """Sets the outcome of the event by a boolean, which is kept as well."""
    found = _TRUTHS.get(value) if type(value) in (bool, str) else None
    if found is not None:
        event["event_outcome"] = "success" if found else "failure"
    return False


def texts(name: str) -> Converter:
    """Sets a list of texts; a single text becomes a list of one."""

    def set_value(event: Event, value: Any) -> bool:
        if found := strings(value):
            extra(event)[name] = found
        return bool(found)

    return set_value


def mail(name: str) -> Converter:
    """Sets a list of mail addresses, without angle brackets, from one or several."""

    def set_value(event: Event, value: Any) -> bool:
        found = [text for part in strings(value) if (text := part.strip("<>"))]
        if found:
            extra(event)[name] = found
        return bool(found)

    return set_value


def domain(*names: str) -> Converter:
    """Sets the name of a host, and adds it to `related.hosts`."""

    def set_value(event: Event, value: Any) -> bool:
        if type(value) is not str or not value:
            return False
        extra(event).update(dict.fromkeys(names, value.rstrip(".") or value))
        relate(event, "hosts", [value.rstrip(".") or value])
        return True

    return set_value


def related(kind: str) -> Converter:
    """Adds a text, or an address if `kind` is `ip`, to `related.<kind>`; the value itself is kept as it is."""

    def set_value(event: Event, value: Any) -> bool:
        found = strings(value)
        if found and (kind != "ip" or all(map(is_ip, found))):
            relate(event, kind, found)
        return False

    return set_value


def hashed(name: str, upper: bool = False) -> Converter:
    """Sets a hash of hexadecimal digits, perhaps with colons, and adds it to `related.hash`."""

    def set_value(event: Event, value: Any) -> bool:
        if type(value) is not str or not value:
            return False
        digits = value.replace(":", "")
        extra(event)[name] = digits.upper() if upper else digits
        relate(event, "hash", [extra(event)[name]])
        return True

    return set_value


def hardware(side: str) -> Converter:
    """Sets the MAC address of "source" or "destination"."""

    def set_value(event: Event, value: Any) -> bool:
        found = mac(value) if type(value) is str else ""
        if found:
            extra(event)[side + ".mac"] = found
        return bool(found)

    return set_value


def transport(event: Event, value: Any) -> bool:
    """Sets the transport protocol by its name or number."""
    if type(value) is not str or not value:
        return False
    set_transport(event, value)
    return True


def distinguished(end: str, who: str) -> Converter:
    """Sets the DN of a certificate's `subject` or `issuer` at the `server` or `client` end, whole and in parts."""
    prefix = f"tls.{end}.x509.{who}."

    def set_value(event: Event, value: Any) -> bool:
        if type(value) is not str or not value:
            return False
        fields = extra(event)
        fields[f"tls.{end}.{who}"] = value
        for part, text in _PART.findall(value[:_LONGEST_NAME]):
            if (name := _PARTS.get(part)) and text:
                fields.setdefault(prefix + name, []).append(text.replace("\\", ""))
        return True

    return set_value


def target(event: Event, value: Any) -> bool:
    """Sets the target of a request: its path, or a whole URL."""
    if type(value) is not str or not value:
        return False
    event["url_original"] = rest = value
    if not value.startswith("/") and (origin := _ORIGIN.match(value)):
        fields = extra(event)
        fields["url.scheme"] = origin[1]
        if host := host_port(origin[2].rpartition("@")[2])[0]:
            fields["url.domain"] = host
        rest = value[origin.end() :]
    _set_path(event, rest)
    return True


def _set_path(event: Event, rest: str) -> None:
    before, _, fragment = rest.partition("#")
    path, _, query = before.partition("?")
    if path:
        event["url_path"] = path
    if query:
        event["url_query"] = query
    base, dot, extension = path.rpartition("/")[2].rpartition(".")
    if fragment:
        extra(event)["url.fragment"] = fragment
    if dot and base and extension:
        extra(event)["url.extension"] = extension


def version(event: Event, value: Any) -> bool:
    """Sets protocol and version by `TLS 1.2`, `TLSv12`, `TLSv1.3` or `SSLv3`."""
    if type(value) is not str or value[:3] not in ("TLS", "SSL"):
        return False
    digits = value[3:].lstrip(" vV")
    if not digits.replace(".", "").isdigit() or len(digits) > 4:
        return False
    fields = extra(event)
    fields["tls.version_protocol"] = value[:3].lower()
    fields["tls.version"] = ".".join(digits) if "." not in digits and len(digits) == 2 else digits
    return True


def set_answers(event: Event, answers: list[dict[str, Any]]) -> None:
    """Set the answers to a DNS question, and the addresses among them."""
    fields = extra(event)
    fields["dns.answers"] = answers
    resolved = [data for answer in answers if type(data := answer.get("data")) is str and is_ip(data)]
    if resolved:
        fields["dns.resolved_ip"] = list(dict.fromkeys(resolved))
        relate(event, "ip", resolved)


def set_status(event: Event) -> None:
    """Set the event's outcome by the status of the HTTP response."""
    if status := event.get("http_response_status_code"):
        event["event_outcome"] = "failure" if status >= 400 else "success"
