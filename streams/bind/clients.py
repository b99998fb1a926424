"""Parses what named says of a client: `client @0x... 192.0.2.1#53211 (name): ...`."""

import re

from streams.common.dns import DNS
from streams.common.packets import set_end, set_type
from streams.common.text import extra
from topics.event import Event

_NAME, _TYPE = r"(\S{1,1100})", r"([A-Z][A-Z0-9-]{0,15})"
_QUERY = re.compile(
    rf"query: {_NAME} ([A-Z0-9]{{2,9}}) {_TYPE} ([+-]\S{{0,16}})(?: \(([^\s()]{{2,64}})\))?(?: \[ECS (\S{{1,64}})\])?"
)
_RESPONSE = re.compile(rf"response: {_NAME} ([A-Z0-9]{{2,9}}) {_TYPE} ([A-Z]{{2,16}}) ([+-]\S{{0,16}})(?: .{{0,255}})?")
_QUOTED = rf"'(\S{{1,1100}}?)/(?:{_TYPE}/)?([A-Z0-9]{{2,9}})'"
_DENIED = re.compile(
    rf"(query(?: \(cache\))?|update|zone transfer|notify|update forwarding) {_QUOTED} (denied|approved)"
    r"(?: \(([^()]{1,80})\))?"
)
_FAILED = re.compile(rf"query failed \(([^()]{{1,40}})\) for (\S{{1,1100}})/([A-Z0-9]{{2,9}})/{_TYPE} at \S{{1,128}}")
_RPZ = re.compile(
    rf"(disabled )?rpz ([A-Z-]{{2,20}}) ([A-Za-z-]{{2,20}}) rewrite (\S{{1,1100}}?)/{_TYPE}(?:/([A-Z0-9]{{2,9}}))?"
    r" via (\S{1,1100})(?: \(CNAME to: (\S{1,1100})\))?"
)
_ANSWER = re.compile(
    rf"answer: {_NAME} ([A-Z0-9]{{2,9}}) {_TYPE}(?: \(([^\s()]{{2,64}})\))?(?: -> ([A-Z]{{2,16}})(?: (.{{0,2048}}))?)?"
)
_RATE = re.compile(
    r"(?:would )?rate limit (\w{2,16}) (?:\w{2,16} )?(?:response|error) to (\S{1,64})"
    rf"(?: for {_NAME} ([A-Z0-9]{{2,9}}) {_TYPE}.{{0,80}})?"
)
_ZONE = r"'(\S{1,1100}?)/([A-Z0-9]{2,9})(?:/\S{1,128}?)?'"
_TRANSFER = re.compile(rf"transfer of {_ZONE}: (AXFR|IXFR|AXFR-style IXFR) (started|ended)(.{{0,255}})", re.DOTALL)
_UPDATING = re.compile(rf"updating zone {_ZONE}: (.{{1,1024}})", re.DOTALL)
_NOTIFY = re.compile(r"received notify for zone '(\S{1,1100}?)'(.{0,255})", re.DOTALL)
_SIGNER = re.compile(r'signer "(\S{1,255})" (approved|denied)')
_OTHER = re.compile(
    r"(?:message parsing failed|no matching view in class|error sending response|request has invalid signature|"
    r"bad zone transfer request|query \(cache\)|message has|dropped|recursing|UDP |TCP |drop |error|malformed|invalid|"
    r"no more|transfer of|zone transfer|view |updating|send failed|read failed|connection reset|end of file).{0,1024}",
    re.DOTALL,
)
_REFUSED: Event = {**DNS, "event_type": ["connection", "protocol", "denied"], "event_outcome": "failure"}
_TCP_FLAG = "T"


def from_client(client: re.Match[str], text: str, event: Event) -> bool:
    """Set the columns of a message about a client; False, and nothing set, for one that is not known."""
    for pattern, take in _PATTERNS:
        if found := pattern.fullmatch(text):
            take(found, event)
            _set_client(client, event)
            return True
    return False


def _set_client(client: re.Match[str], event: Event) -> None:
    address, port, key, name, view = client.groups()
    set_end(event, "source", address, port)
    set_type(event)
    if name:
        event.setdefault("dns_question_name", name)
    for field, value in (("bind.key", key), ("bind.view", view)):
        if value:
            extra(event)[field] = value


def _set_question(event: Event, name: str, kind: str | None, zone_class: str | None) -> None:
    event["dns_question_name"] = name
    if kind:
        event["dns_question_type"] = kind
    if zone_class:
        extra(event)["dns.question.class"] = zone_class


def _query(found: re.Match[str], event: Event) -> None:
    name, zone_class, kind, flags, server, subnet = found.groups()
    event.update(DNS)
    event["event_action"] = "dns_query"
    event["network_transport"] = "tcp" if _TCP_FLAG in flags else "udp"
    _set_question(event, name, kind, zone_class)
    extra(event).update({"dns.type": "query", "bind.flags": flags})
    set_end(event, "destination", server or "", "")
    if subnet:
        extra(event)["bind.client_subnet"] = subnet


def _response(found: re.Match[str], event: Event) -> None:
    name, zone_class, kind, code, flags = found.groups()
    event.update(DNS)
    event["event_action"], event["dns_response_code"] = "dns_answer", code
    _set_question(event, name, kind, zone_class)
    extra(event).update({"dns.type": "answer", "bind.flags": flags})


def _answer(found: re.Match[str], event: Event) -> None:
    name, zone_class, kind, server, code, data = found.groups()
    event.update(DNS)
    event["event_action"] = "dns_answer"
    if code:
        event["dns_response_code"] = code
    _set_question(event, name, kind, zone_class)
    set_end(event, "destination", server or "", "")
    extra(event)["dns.type"] = "answer"
    if data:
        extra(event)["bind.answer"] = data


def _verdict(found: re.Match[str], event: Event) -> None:
    what, name, kind, zone_class, verdict, rule = found.groups()
    event.update(_REFUSED if verdict == "denied" else {**DNS, "event_outcome": "success"})
    event["event_action"] = "dns_" + what.replace(" (cache)", "").replace(" ", "_")
    if verdict == "denied":
        event["dns_response_code"] = "REFUSED"
    _set_question(event, name, kind, zone_class)
    if rule:
        extra(event)["event.reason"] = rule


def _failure(found: re.Match[str], event: Event) -> None:
    code, name, zone_class, kind = found.groups()
    event.update({**DNS, "event_action": "dns_query", "event_outcome": "failure", "dns_response_code": code})
    _set_question(event, name, kind, zone_class)


def _policy(found: re.Match[str], event: Event) -> None:
    disabled, trigger, policy, name, kind, zone_class, rule, target = found.groups()
    event.update(DNS if disabled else {**_REFUSED, "event_outcome": "success"})
    event["event_action"], event["rule_name"] = "dns_rewritten", rule
    _set_question(event, name, kind, zone_class)
    extra(event).update({"bind.rpz_trigger": trigger, "bind.rpz_policy": policy})
    if target:
        extra(event)["bind.rpz_target"] = target


def _rate(found: re.Match[str], event: Event) -> None:
    action, network, name, zone_class, kind = found.groups()
    event.update({**_REFUSED, "event_action": "dns_rate_limited", "event_outcome": "success"})
    if name:
        _set_question(event, name, kind, zone_class)
    extra(event).update({"bind.rate_limit": action, "bind.rate_limited": network})


def _transfer(found: re.Match[str], event: Event) -> None:
    zone, zone_class, kind, step, more = found.groups()
    event.update(
        {**DNS, "event_action": f"zone_transfer_{step}", "event_outcome": "success", "network_transport": "tcp"}
    )
    _set_question(event, zone, kind.rpartition(" ")[2], zone_class)
    if more.strip(" :,"):
        extra(event)["event.reason"] = more.strip(" :,")


def _updating(found: re.Match[str], event: Event) -> None:
    zone, zone_class, what = found.groups()
    event.update({**DNS, "event_action": "dns_update"})
    event["event_outcome"] = "failure" if "unsuccessful" in what or "failed" in what or "denied" in what else "success"
    _set_question(event, zone, None, zone_class)
    extra(event)["event.reason"] = what


def _notify(found: re.Match[str], event: Event) -> None:
    event.update({**DNS, "event_action": "dns_notify"})
    event["dns_question_name"] = found[1]
    if found[2].strip(": "):
        extra(event)["event.reason"] = found[2].strip(": ")


def _signer(found: re.Match[str], event: Event) -> None:
    event.update(_REFUSED if found[2] == "denied" else {**DNS, "event_outcome": "success"})
    event["event_action"] = "dns_signer"
    extra(event)["bind.signer"] = found[1]


def _other(found: re.Match[str], event: Event) -> None:
    event.update({**DNS, "event_action": "dns_error", "event_outcome": "failure"})
    extra(event)["event.reason"] = found[0]


_PATTERNS = (
    *(
        (_QUERY, _query),
        (_DENIED, _verdict),
        (_RESPONSE, _response),
        (_FAILED, _failure),
        (_RPZ, _policy),
        (_ANSWER, _answer),
        (_RATE, _rate),
    ),
    *((_TRANSFER, _transfer), (_UPDATING, _updating), (_NOTIFY, _notify), (_SIGNER, _signer), (_OTHER, _other)),
)
