"""Parses FTD's security events: `EventPriority: Low, SrcIP: 192.0.2.1, DstIP: ..., User: alice, URL: ...`.

They have the numbers 430001 (intrusion), 430002 and 430003 (connection begins, ends), 430004 (file), 430005 (malware);
before 6.3 the same without a number, from the program SFIMS. The address fields stand before those whose text a client
chooses (user agent, URL, names), and the first of a key counts.
https://www.cisco.com/c/en/us/td/docs/security/firepower/Syslogs/b_fptd_syslog_guide/security-event-syslog-messages.html
"""

import re
from functools import lru_cache

from streams.common.packets import set_ends, set_number, set_transport
from streams.common.text import extra, number
from topics.event import Event

_KEY = re.compile(r"(?:^|, ?)([A-Z][A-Za-z0-9_]{1,40}(?: [A-Za-z]{1,12}){0,3}|originalClientSrcIP): ?")
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EVENT: Event = {"event_category": ["network"], "event_type": ["connection", "start"]}
KINDS: dict[str, Event] = {
    "430001": {
        "event_kind": "alert",
        "event_category": ["intrusion_detection"],
        "event_type": ["info"],
        "event_action": "intrusion-detected",
    },
    "430002": {**_EVENT, "event_action": "connection-started"},
    "430003": {**_EVENT, "event_type": ["connection", "end"], "event_action": "connection-finished"},
    "430004": {"event_category": ["file"], "event_type": ["info"], "event_action": "file-detected"},
    "430005": {"event_category": ["malware"], "event_type": ["info"], "event_action": "malware-detected"},
}
_SIGNS = (("ThreatName", "430005"), ("FileName", "430004"), ("SID", "430001"), ("ConnectionDuration", "430003"))
_COLUMNS = {
    "IngressInterface": "observer_ingress_interface_name",
    "EgressInterface": "observer_egress_interface_name",
    "AccessControlRuleName": "rule_name",
    "ApplicationProtocol": "network_protocol",
    "DNSQuery": "dns_question_name",
    "DNSRecordType": "dns_question_type",
    "DNSResponseType": "dns_response_code",
    "HTTPReferer": "http_request_referrer",
    "HTTP_Method": "http_request_method",
    "URL": "url_original",
    "URI": "url_original",
    "UserAgent": "user_agent_original",
}
_NUMBERS = {
    "HTTPResponse": "http_response_status_code",
    "InitiatorBytes": "source_bytes",
    "ResponderBytes": "destination_bytes",
}
_COUNTS = {"InitiatorPackets": "source.packets", "ResponderPackets": "destination.packets", "FileSize": "file.size"}
_FIELDS = {
    "IngressZone": "observer.ingress.zone",
    "EgressZone": "observer.egress.zone",
    "ACPolicy": "rule.ruleset",
    "IntrusionPolicy": "rule.ruleset",
    "FilePolicy": "rule.ruleset",
    "SID": "rule.id",
    "Message": "rule.description",
    "Classification": "rule.category",
    "FileName": "file.name",
    "FileSHA256": "file.hash.sha256",
    "ReferencedHost": "url.domain",
    "Client": "network.application",
}
_TYPES = {
    "a host address": "A", "ip6 address": "AAAA", "text strings": "TXT", "a domain name pointer": "PTR",
    "an authoritative name server": "NS", "the canonical name for an alias": "CNAME", "mail exchange": "MX",
    "marks the start of a zone of authority": "SOA", "server selection": "SRV",
    "no error": "NOERROR", "non-existent domain": "NXDOMAIN", "server failure": "SERVFAIL", "query refused": "REFUSED",
}  # fmt: skip
_NOBODY = ("No Authentication Required", "Not Found", "Unknown", "Special Identities")
_DENIALS = ("block", "sinkhole", "domain not found", "drop", "reset")
_ALLOWANCES = ("allow", "trust", "pass", "fastpath", "monitor")
_MALICIOUS = ("Malware", "Custom Detection")


def parse(code: str, text: str, event: Event) -> bool:
    """Set the columns of one security event, whose number may be ""; False, and nothing set, for anything else."""
    found = _split(text)
    if "SrcIP" not in found:
        return False
    code = code or next((number for sign, number in _SIGNS if sign in found), "430002")
    event.update(KINDS[code])
    extra(event)["event.code"] = code
    _set_ends(found, event)
    _set_verdict(found, event)
    _set_user(found.pop("User", "") or found.pop("UserName", ""), event)
    for key, value in found.items():
        _set_field(key, value, event)
    return True


def _split(text: str) -> dict[str, str]:
    """Keys and values in order, the first of a key. A value may hold commas, but no `, Key: `."""
    found: dict[str, str] = {}
    matches = list(_KEY.finditer(text))
    for match, following in zip(matches, [*matches[1:], None], strict=False):
        value = text[match.end() : following.start() if following else len(text)].strip()
        if value:
            found.setdefault(match[1], value)
    return found


def _set_ends(found: dict[str, str], event: Event) -> None:
    set_transport(event, found.pop("Protocol", ""))
    source = (found.pop("SrcIP", ""), found.pop("SrcPort", ""))
    set_ends(event, source, (found.pop("DstIP", ""), found.pop("DstPort", "")))


def _set_verdict(found: dict[str, str], event: Event) -> None:
    """Set what was decided. A connection that was blocked was blocked successfully, as ECS has it."""
    word = (found.get("AccessControlRuleAction") or found.get("InlineResult", "")).lower()
    if event["event_category"][0] == "malware":
        _set_disposition(found.get("SHA_Disposition", ""), event)
    if not word or event["event_category"][0] not in ("network", "intrusion_detection"):
        return
    event["event_outcome"] = "success"
    if word.startswith(_DENIALS):
        event["event_type"] = [*event["event_type"], "denied"]
    elif word.startswith(_ALLOWANCES[:-1]):
        event["event_type"] = [*event["event_type"], "allowed"]


def _set_disposition(disposition: str, event: Event) -> None:
    """Make an alert of a file that is malware; a clean or unknown one stays an event about a file."""
    if disposition in _MALICIOUS:
        event["event_kind"] = "alert"
    else:
        event["event_category"] = ["malware", "file"]


def _set_user(user: str, event: Event) -> None:
    domain, _, name = user.rpartition("\\")
    if name and name not in _NOBODY:
        event["user_name"] = name
        if domain:
            extra(event)["user.domain"] = domain


def _set_field(key: str, value: str, event: Event) -> None:
    if column := _COLUMNS.get(key):
        event[column] = _TYPES.get(value.lower(), value) if key.startswith("DNS") else value
        if key == "ApplicationProtocol":
            event[column] = value.lower()
    elif (column := _NUMBERS.get(key)) and (amount := number(value, 9 if key == "HTTPResponse" else 18)) is not None:
        event[column] = amount
    elif key == "ConnectionDuration" and (seconds := number(value, 9)) is not None:
        extra(event)["event.duration"] = seconds * 1_000_000_000
    elif key in _COUNTS:
        set_number(event, _COUNTS[key], value)
    else:
        extra(event)[_FIELDS.get(key) or _own(key)] = value


@lru_cache(1024)
def _own(key: str) -> str:
    """The field of a key that ECS does not know: `FileAction` is `cisco.file_action`."""
    return "cisco." + _WORD_BEGINS.sub("_", key.replace(" ", "_")).lower()
