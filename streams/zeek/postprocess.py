"""Sets what depends on several fields of a Zeek record: states, answers, defaults, event types.

Each function takes (event, record) after the single fields were mapped.
https://docs.zeek.org/en/current/logs/index.html
"""

from collections.abc import Callable
from typing import Any

from streams.common.text import extra, is_ip
from streams.mapping.converters import set_answers, set_status, strings, whole_number
from streams.mapping.json_fields import converter_for
from streams.zeek.kinds import set_state
from topics.event import Event

Record = dict[str, Any]

_ANSWERED = ("NOERROR", "NXDOMAIN")
"""Response codes that count as success: NXDOMAIN answers the question, too."""
_FLAGS = ("AA", "TC", "RD", "RA")
_DIRECTIONS = {
    (True, True): "internal",
    (True, False): "outbound",
    (False, True): "inbound",
    (False, False): "external",
}
_FILE_TYPES = {
    "SMB::FILE_DELETE": ["connection", "protocol", "deletion"],
    "SMB::FILE_RENAME": ["connection", "protocol", "change"],
    "SMB::FILE_WRITE": ["connection", "protocol", "change"],
    "SMB::FILE_SET_ATTRIBUTE": ["connection", "protocol", "change"],
}
_TUNNELS = {
    "Tunnel::DISCOVER": ["connection", "start"],
    "Tunnel::CLOSE": ["connection", "end"],
    "Tunnel::EXPIRE": ["connection", "end"],
}
_ENDS = tuple(
    (member, column, converter_for(column))
    for member, column in (("src", "source_ip"), ("dst", "destination_ip"), ("p", "destination_port"))
)
"""Fields of a notice that is not about one connection."""
_CONNECTS = frozenset({"connect", "login"})
_INDICATORS = {"Intel::URL": "url", "Intel::EMAIL": "email-addr", "Intel::DOMAIN": "domain-name"}
_INDICATORS |= {"Intel::FILE_NAME": "file", "Intel::FILE_HASH": "file", "Intel::CERT_HASH": "x509-certificate"}


def ports_of_icmp(record: Record) -> None:
    """Move ICMP's type and code, which Zeek writes in the fields of the ports, to fields of their own."""
    ends = record.get("id")
    if record.get("proto") == "icmp" and type(ends) is dict and "orig_p" in ends:
        record["id"] = {name: value for name, value in ends.items() if name not in ("orig_p", "resp_p")}
        record["icmp"] = {"type": ends["orig_p"], "code": ends.get("resp_p")}


def _conn(event: Event, record: Record) -> None:
    state = record.get("conn_state")
    if type(state) is str:
        set_state(event, state)
    local = (record.get("local_orig"), record.get("local_resp"))
    if type(local[0]) is bool and type(local[1]) is bool:
        event["network_direction"] = _DIRECTIONS[local]  # type: ignore[index]
    for column, member in (("source_bytes", "orig_bytes"), ("destination_bytes", "resp_bytes")):
        if column not in event and (size := whole_number(record.get(member))) is not None:
            event[column] = size
    _add(event)


def _add(event: Event) -> None:
    fields = event.get("extra", {})
    size = event.get("source_bytes", 0) + event.get("destination_bytes", 0)
    packets = fields.get("source.packets", 0) + fields.get("destination.packets", 0)
    for name, total in (("network.bytes", size), ("network.packets", packets)):
        if 0 < total < 2**63:
            extra(event)[name] = total


def _dns(event: Event, record: Record) -> None:
    fields = extra(event)
    fields["dns.type"] = "answer" if "rcode_name" in record or "rcode" in record else "query"
    if flags := [flag for flag in _FLAGS if record.get(flag) is True]:
        fields["dns.header_flags"] = flags
    if code := event.get("dns_response_code"):
        event["event_outcome"] = "success" if code in _ANSWERED else "failure"
    ttls = record.get("TTLs")
    if answers := strings(record.get("answers")):
        known = ttls if type(ttls) is list and len(ttls) == len(answers) else [None] * len(answers)
        set_answers(event, [_answer(data, ttl) for data, ttl in zip(answers, known, strict=True)])


def _answer(data: str, ttl: Any) -> dict[str, Any]:
    return {"data": data, "ttl": int(ttl)} if type(ttl) in (int, float) and 0 <= ttl < 2**32 else {"data": data}


def _http(event: Event, record: Record) -> None:
    set_status(event)
    if method := event.get("http_request_method"):
        event["event_action"] = method.lower()
    if name := event.get("user_name"):
        extra(event)["url.username"] = name


def _notice(event: Event, record: Record) -> None:
    for member, column, convert in _ENDS:
        if column not in event and member in record:
            convert(event, record[member])
    if type(dropped := record.get("dropped")) is bool:
        event["event_type"] = ["info", "denied" if dropped else "allowed"]


def _dhcp(event: Event, record: Record) -> None:
    event.setdefault("source_port", 68)
    event.setdefault("destination_port", 67)


def _smb_files(event: Event, record: Record) -> None:
    path, name = record.get("path"), record.get("name")
    if type(path) is str and type(name) is str and path:
        extra(event)["file.path"] = f"{path}\\{name}" if name else path
    event["event_type"] = _FILE_TYPES.get(event.get("event_action", ""), event["event_type"])


def _mysql(event: Event, record: Record) -> None:
    if event.get("event_action") in _CONNECTS:
        event["event_category"] = ["network", "database", "session"]
        event["event_type"] = ["connection", "protocol", "start"]
        if type(name := record.get("arg")) is str and name and event["event_action"] == "login":
            event["user_name"] = name


def _modbus(event: Event, record: Record) -> None:
    event["event_outcome"] = "failure" if record.get("exception") else "success"


def _sip(event: Event, record: Record) -> None:
    code = whole_number(record.get("status_code"))
    if code is not None and code >= 200:
        event["event_outcome"] = "success" if code < 400 else "failure"


def _tunnel(event: Event, record: Record) -> None:
    event["event_type"] = _TUNNELS.get(event.get("event_action", ""), event["event_type"])


def _intel(event: Event, record: Record) -> None:
    seen = record.get("seen")
    if type(seen) is not dict or type(value := seen.get("indicator")) is not str or not value:
        return
    kind = seen.get("indicator_type")
    if is_ip(value):
        fields = {"type": "ipv6-addr" if ":" in value else "ipv4-addr", "ip": value}
    else:
        fields = {"type": _INDICATORS.get(kind, "artifact") if type(kind) is str else "artifact", "name": value}
    extra(event).update({f"threat.indicator.{name}": text for name, text in fields.items()})


POSTPROCESS: dict[str, Callable[[Event, Record], None]] = {
    "conn": _conn,
    "dns": _dns,
    "http": _http,
    "notice": _notice,
    "dhcp": _dhcp,
    "smb_files": _smb_files,
    "mysql": _mysql,
    "modbus": _modbus,
    "sip": _sip,
    "tunnel": _tunnel,
    "intel": _intel,
}
