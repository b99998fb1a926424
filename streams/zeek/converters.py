"""Converts values that only Zeek's logs have: services, lists of methods, principals, names of types.

Each function is, or returns, a `Converter` for a table of `streams.mapping.json_fields`.
"""

from typing import Any

from streams.common.text import extra, first_rdn, is_ip
from streams.mapping import converters
from streams.mapping.json_fields import Converter
from topics.event import Event

_PROTOCOLS = {"ssl": "tls", "krb": "kerberos", "krb_tcp": "kerberos", "smb": "smb", "dce_rpc": "dce_rpc"}
_CARRIERS = frozenset({"ssl", "tls", "quic", "gssapi", "ntlm", "krb", "krb_tcp", "spicy_krb"})
"""Services that carry another, or that log in to it."""
_CLASSES = {"C_INTERNET": "IN", "C_CHAOS": "CH", "C_HESIOD": "HS", "C_NONE": "NONE", "C_ANY": "ANY"}


def transport(event: Event, value: Any) -> bool:
    """Sets the transport protocol, unless it is `unknown_transport`."""
    return value != "unknown_transport" and converters.transport(event, value)


def service(event: Event, value: Any) -> bool:
    """Sets the service of a connection; of several, the list is kept too. Zeek gave up those that begin with `-`."""
    names = value.split(",") if type(value) is str else converters.strings(value)
    names = [name for name in names[:32] if name and not name.startswith("-")]
    if names:
        name = next((name for name in names if name not in _CARRIERS), names[0])
        event["network_protocol"] = _PROTOCOLS.get(name, name.lower())
    return len(names) == 1 and type(value) is str


def direction(event: Event, value: Any) -> bool:
    """Sets the direction by INBOUND or OUTBOUND."""
    if type(value) is not str or value not in ("INBOUND", "OUTBOUND"):
        return False
    event["network_direction"] = value.lower()
    return True


def principal(event: Event, value: Any) -> bool:
    """Sets user and realm of `alice/EXAMPLE.COM`, which is kept whole; a service's name may hold slashes too."""
    if type(value) is not str or not value:
        return False
    name, slash, realm = value.rpartition("/")
    if slash and realm:
        extra(event)["user.domain"] = realm
    if name or not slash:
        event["user_name"] = name or value
    return False


def dn(event: Event, value: Any) -> bool:
    """Sets the user that a DN names; the DN is kept whole."""
    if type(value) is str and (name := first_rdn(value)[1]):
        event["user_name"] = name
    return False


def sentence(*columns: str) -> Converter:
    """Sets the event's message to this text, and these columns or fields as well."""

    def set_value(event: Event, value: Any) -> bool:
        if type(value) is not str or not value:
            return False
        event["message"] = value
        for name in columns:
            if "." in name:
                extra(event)[name] = value
            else:
                event[name] = value
        return True

    return set_value


def dns_class(event: Event, value: Any) -> bool:
    """Sets the class of a DNS question, which Zeek calls `C_INTERNET` for IN."""
    if type(value) is not str or not value:
        return False
    extra(event)["dns.question.class"] = _CLASSES.get(value, value)
    return True


def first_id(event: Event, value: Any) -> bool:
    """Sets the first of several connections as the event's; all are kept."""
    if found := converters.strings(value):
        extra(event)["event.id"] = found[0]
    return False


def host(*names: str) -> Converter:
    """Sets the address of the host that a record is about, as a list in `host.ip` and under these names."""

    def set_value(event: Event, value: Any) -> bool:
        if type(value) is not str or not is_ip(value):
            return False
        extra(event).update({"host.ip": [value], **dict.fromkeys(names, value)})
        event["network_type"] = "ipv6" if ":" in value else "ipv4"
        converters.relate(event, "ip", [value])
        return True

    return set_value


def first_address(name: str) -> Converter:
    """Sets the first address of a list; of several, all are kept."""

    def set_value(event: Event, value: Any) -> bool:
        found = converters.strings(value)
        if not found or not all(map(is_ip, found)):
            return False
        extra(event)[name] = found[0]
        converters.relate(event, "ip", found)
        return len(found) == 1

    return set_value


def reply(event: Event, value: Any) -> bool:
    """Sets the outcome by a reply's code or a reply that begins with one, and keeps it. 1xx and 3xx decide nothing."""
    code = str(value)[:3] if type(value) in (int, str) else ""
    if code.isdigit() and code.isascii() and len(code) == 3 and code[0] in "245":
        event["event_outcome"] = "success" if code[0] == "2" else "failure"
    return False


def status(*good: str) -> Converter:
    """Sets the outcome: success when the value is one of `good`. The value is kept."""

    def set_value(event: Event, value: Any) -> bool:
        if type(value) is str and value:
            event["event_outcome"] = "success" if value in good else "failure"
        return False

    return set_value


def types(event: Event, value: Any) -> bool:
    """Sets the action by the last message of an exchange; all are kept."""
    if found := converters.strings(value):
        event["event_action"] = found[-1].lower()
    return False
