"""Parses messages of dnsmasq: its DNS (`log-queries`, also `=extra`, Pi-hole's), its DHCP, its state.

Sources: dnsmasq src/cache.c, forward.c, rfc2131.c, rfc3315.c (2.4x to 2.9x). https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html

The client chooses the name asked for and its host name. An address stands right of a name asked for; what an answer is
stands right of the last ` is `.
"""

import re

from streams.base import StateStore, Stream
from streams.common.dns import DNS
from streams.common.leases import set_client, set_exchange
from streams.common.packets import relate, set_end, set_type
from streams.common.text import extra, is_ip, put
from topics.event import Event

_SERIAL = re.compile(r"([0-9]{1,10}) (?:([0-9A-Fa-f.:]{2,39})/([0-9]{1,5}) )?")
_QUERY = re.compile(
    r"(query|auth|dnssec-query|dnssec-retry)\[([^\]]{1,32})\] (.*) (from|to) ([0-9A-Fa-f.:%]{2,64}(?:#[0-9]{1,5})?)",
    re.DOTALL,
)
_FORWARDED = re.compile(r"forwarded (.*) to ([0-9A-Fa-f.:%]{2,64}(?:#[0-9]{1,5})?)", re.DOTALL)
_ANSWER = re.compile(
    r"(reply|cached-stale|cached|config|DHCP|validation|/\S{1,255}|gravity blocked|exactly (?:blacklisted|denied)|"
    r"regex (?:blacklisted|denied)|blocked|blacklisted|special domain|Pi-hole hostname|error) (.*) is (.{1,512})",
    re.DOTALL,
)
_HARDWARE = r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5,129}(?= |$)"
_LEASE = re.compile(
    r"(DHCP[A-Z]{3,20}|RTR-[A-Z]{3,10}|SLAAC-[A-Z]{3,10}|BOOTP)\(([^)]{1,64})\) ?"
    rf"(?:(?!{_HARDWARE})([0-9A-Fa-f]{{0,4}}[.:][0-9A-Fa-f.:]{{1,38}}(?= |$)) ?)?(?:({_HARDWARE}) ?)?(.{{0,512}})",
    re.DOTALL,
)
_NAMESERVER = re.compile(r"nameserver ([0-9A-Fa-f.:]{2,39}) (refused to do a recursive query)")
_REBIND = re.compile(r"possible DNS-rebind attack detected: (\S{1,1024})")
_NOTES = (
    *(
        "using nameserver ",
        "using only locally-known ",
        "using local addresses ",
        "ignoring nameserver ",
        "reading ",
        "read /",
    ),
    *(
        "started, version ",
        "compile time options: ",
        "exiting on receipt ",
        "cleared cache",
        "cache size ",
        "queries forwarded ",
    ),
    *(
        "Maximum number of concurrent DNS queries reached",
        "reducing DNS packet size ",
        "failed to ",
        "no servers found in ",
    ),
    *(
        "DHCP, ",
        "DHCP lease file ",
        "DHCPv6",
        "available DHCP ",
        "client provides name: ",
        "vendor class: ",
        "user class: ",
        "requested options: ",
    ),
    *(
        "tags: ",
        "next server: ",
        "sent size:",
        "not giving name ",
        "Ignoring ",
        "not using configured address ",
        "router advertisement",
    ),
    *(
        "DNS service ",
        "DNSSEC ",
        "inotify",
        "overflow: ",
        "Insecure DS reply ",
        "lease ",
        "no address range available ",
    ),
)
_NOTE: Event = {"event_category": ["network"], "event_type": ["info"], "event_action": "dnsmasq_message"}
_CODES = {"NXDOMAIN": "NXDOMAIN", "SERVFAIL": "SERVFAIL", "REFUSED": "REFUSED", "NODATA": "NOERROR"}
_BLOCKS = ("gravity blocked", "exactly", "regex", "blocked", "blacklisted")
_FAILURES = (
    "no address",
    "no leases",
    "wrong",
    "not using",
    "address in use",
    "lease not found",
    "no unique-id",
    "ignored",
)
_LONGEST = 4096
_LONGEST_MAC = 17


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False for what dnsmasq does not write."""
    serial = _SERIAL.match(message)
    text = message[serial.end() :] if serial else message
    if not (_dns(text, event) or _dhcp(text, event) or _note(text, event)):
        return False
    if serial:
        _set_serial(serial, event)
    return True


def _set_serial(serial: re.Match[str], event: Event) -> None:
    number, address, port = serial.groups()
    extra(event)["dnsmasq.serial"] = number
    if address:
        set_end(event, "source", address, port)
        set_type(event)


def _dns(text: str, event: Event) -> bool:
    if found := _QUERY.fullmatch(text):
        _query(found, event)
    elif found := _FORWARDED.fullmatch(text):
        _set_question(event, "dns_forwarded", found[1])
        set_end(event, "destination", *_server(found[2]))
    elif found := _ANSWER.fullmatch(text):
        _answer(found[1], found[2], found[3], event)
    else:
        return False
    return True


def _query(found: re.Match[str], event: Event) -> None:
    verb, kind, name, preposition, address = found.groups()
    _set_question(event, "dns_query" if verb == "query" else verb.replace("-", "_"), name)
    event["dns_question_type"] = kind.removeprefix("type=")
    extra(event)["dns.type"] = "query"
    set_end(event, "source" if preposition == "from" else "destination", *_server(address))
    set_type(event)


def _set_question(event: Event, action: str, name: str) -> None:
    event.update(DNS)
    event["event_action"] = action
    put(event, "dns_question_name", name)


def _server(text: str) -> tuple[str, str]:
    address, _, port = text.partition("#")
    return address, port


def _answer(origin: str, name: str, value: str, event: Event) -> None:
    if origin == "validation":
        _set_question(event, "dns_validation", name if name != "result" else "")
        event["event_outcome"] = "failure" if value.startswith("BOGUS") else "success"
        extra(event)["dnsmasq.validation"] = value
        return
    code = _CODES.get(value.partition("-")[0])
    # dnsmasq's own word, when it cannot tell which question a refusal answers
    _set_question(event, "dns_answer", "" if name == "error" and code else name)
    fields = extra(event)
    fields.update({"dns.type": "answer", "dnsmasq.origin": origin})
    if origin.startswith(_BLOCKS):
        event["event_action"], event["event_type"] = "dns_blocked", ["connection", "protocol", "denied"]
    event["dns_response_code"] = code or "NOERROR"
    if is_ip(value):
        fields["dns.resolved_ip"] = [value]
        relate(event, "ip", value)
    if code is None:
        fields["dns.answers"] = [{"data": value}]


def _dhcp(text: str, event: Event) -> bool:
    found = _LEASE.fullmatch(text)
    if found is None:
        return False
    kind, interface, address, hardware, rest = found.groups("")
    set_exchange(event, kind.lower(), rest.startswith(_FAILURES))
    words = rest.split(" ")
    named = len(words) == 1 and not rest.startswith(_FAILURES)
    set_client(event, address, hardware, rest if named else "")
    event["observer_ingress_interface_name"] = interface
    if rest and not named:
        extra(event)["event.reason"] = rest
    if len(hardware) > _LONGEST_MAC:
        extra(event)["dnsmasq.duid"] = hardware
    return True


def _note(text: str, event: Event) -> bool:
    if found := _NAMESERVER.fullmatch(text):
        event.update({**_NOTE, "event_outcome": "failure", "network_protocol": "dns"})
        set_end(event, "destination", found[1], "")
        extra(event)["event.reason"] = found[2]
    elif found := _REBIND.fullmatch(text):
        _set_question(event, "dns_rebind_attack", found[1])
        event["event_outcome"] = "failure"
    elif text.startswith(_NOTES):
        event.update(_NOTE)
    else:
        return False
    return True


STREAM = Stream(
    name="dnsmasq",
    programs=("dnsmasq", "dnsmasq-dhcp", "dnsmasq-tftp", "dnsmasq-script", "pihole-FTL"),
    parse=parse,
    longest=_LONGEST,
)
