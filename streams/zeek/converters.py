"""What takes the values that only Zeek's logs have: services, lists of methods, principals, names of types.

Each function takes (event, value), and says whether the value was of use.
"""

from typing import Any

from streams.common.text import extra, first_rdn, is_ip
from streams.mapping import converters
from streams.mapping.json_fields import Take
from topics.event import Event

_PROTOCOLS = {"ssl": "tls", "krb": "kerberos", "krb_tcp": "kerberos", "smb": "smb", "dce_rpc": "dce_rpc"}
_CARRIERS = frozenset({"ssl", "tls", "quic", "gssapi", "ntlm", "krb", "krb_tcp", "spicy_krb"})
"""Services that carry another, or that log in to it."""
_CLASSES = {"C_INTERNET": "IN", "C_CHAOS": "CH", "C_HESIOD": "HS", "C_NONE": "NONE", "C_ANY": "ANY"}


def transport(event: Event, value: Any) -> bool:
    """A protocol's name, but for `unknown_transport`."""
    return value != "unknown_transport" and converters.transport(event, value)


def service(event: Event, value: Any) -> bool:
    """The service of a connection, or several with commas; the list itself is kept. Those with `-` were given up."""
    names = value.split(",") if type(value) is str else converters.strings(value)
    names = [name for name in names[:32] if name and not name.startswith("-")]
    if names:
        name = next((name for name in names if name not in _CARRIERS), names[0])
        event["network_protocol"] = _PROTOCOLS.get(name, name.lower())
    return len(names) == 1 and type(value) is str


def direction(event: Event, value: Any) -> bool:
    """INBOUND or OUTBOUND."""
    if type(value) is not str or value not in ("INBOUND", "OUTBOUND"):
        return False
    event["network_direction"] = value.lower()
    return True


def principal(event: Event, value: Any) -> bool:
    """`alice/EXAMPLE.COM` is a user and a realm; a service's name may hold slashes too. It is kept whole."""
    if type(value) is not str or not value:
        return False
    name, slash, realm = value.rpartition("/")
    if slash and realm:
        extra(event)["user.domain"] = realm
    if name or not slash:
        event["user_name"] = name or value
    return False


def dn(event: Event, value: Any) -> bool:
    """The DN that binds; it is kept whole."""
    if type(value) is str and (name := first_rdn(value)[1]):
        event["user_name"] = name
    return False


def sentence(*columns: str) -> Take:
    """Takes what is the record's sentence, and these fields too."""

    def take(event: Event, value: Any) -> bool:
        if type(value) is not str or not value:
            return False
        event["message"] = value
        for name in columns:
            if "." in name:
                extra(event)[name] = value
            else:
                event[name] = value
        return True

    return take


def dns_class(event: Event, value: Any) -> bool:
    """The name of a DNS class, as Zeek calls it."""
    if type(value) is not str or not value:
        return False
    extra(event)["dns.question.class"] = _CLASSES.get(value, value)
    return True


def first_id(event: Event, value: Any) -> bool:
    """Connections, of which the first is the event's; all are kept."""
    if found := converters.strings(value):
        extra(event)["event.id"] = found[0]
    return False


def host(*names: str) -> Take:
    """Takes the address of the host that a record is about, as a list under `host.ip` and under these names."""

    def take(event: Event, value: Any) -> bool:
        if type(value) is not str or not is_ip(value):
            return False
        extra(event).update({"host.ip": [value], **dict.fromkeys(names, value)})
        event["network_type"] = "ipv6" if ":" in value else "ipv4"
        converters.relate(event, "ip", [value])
        return True

    return take


def first_address(name: str) -> Take:
    """Takes the one address of a list; of several, the first, and all are kept."""

    def take(event: Event, value: Any) -> bool:
        found = converters.strings(value)
        if not found or not all(map(is_ip, found)):
            return False
        extra(event)[name] = found[0]
        converters.relate(event, "ip", found)
        return len(found) == 1

    return take


def reply(event: Event, value: Any) -> bool:
    """A reply's code, or a reply that begins with one, as the outcome; kept as it is. 1xx and 3xx decide nothing."""
    code = str(value)[:3] if type(value) in (int, str) else ""
    if code.isdigit() and code.isascii() and len(code) == 3 and code[0] in "245":
        event["event_outcome"] = "success" if code[0] == "2" else "failure"
    return False


def status(*good: str) -> Take:
    """Notes as the outcome whether the value is one of the good ones; kept as it is."""

    def take(event: Event, value: Any) -> bool:
        if type(value) is str and value:
            event["event_outcome"] = "success" if value in good else "failure"
        return False

    return take


def types(event: Event, value: Any) -> bool:
    """The messages of an exchange, of which the last says what came of it; all are kept."""
    if found := converters.strings(value):
        event["event_action"] = found[-1].lower()
    return False
