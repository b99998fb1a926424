"""Maps the `dns` object of EVE records: version 1 (a record for each answer), 2 and 3 (all answers in one record).

https://docs.suricata.io/en/latest/output/eve/eve-json-format.html#event-type-dns
"""

from typing import Any

from streams.common.text import extra
from streams.mapping.converters import set_answers, strings
from topics.event import Event

_TYPES = {"query": "query", "request": "query", "answer": "answer", "response": "answer"}
_FLAGS = {"aa": "AA", "tc": "TC", "rd": "RD", "ra": "RA"}
_PARTS = {"rrname": "name", "rrtype": "type", "rdata": "data", "ttl": "ttl"}


def kind(event: Event, value: Any) -> bool:
    """Sets whether it is a query or an answer."""
    found = _TYPES.get(value) if type(value) is str else None
    if found:
        extra(event)["dns.type"] = found
    return found is not None


def questions(event: Event, value: Any) -> bool:
    """Sets the question; of several, the first is the event's, and all are kept."""
    first = value[0] if type(value) is list and value else value
    if type(first) is not dict:
        return False
    for member, column in (("rrname", "dns_question_name"), ("rrtype", "dns_question_type")):
        if (text := first.get(member)) and type(text) is str:
            event[column] = text
    return False


def answers(event: Event, value: Any) -> bool:
    """Sets the list of answers."""
    if type(value) is not list or not value or not all(type(answer) is dict for answer in value):
        return False
    set_answers(event, [_answer(answer) for answer in value])
    return all(answer.keys() <= _PARTS.keys() for answer in value)


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[member] for member, name in _PARTS.items() if member in answer}


def postprocess(event: Event, record: dict[str, Any]) -> None:
    """Set what depends on several fields: flags, a single answer, answers in groups."""
    dns = record.get("dns")
    if type(dns) is not dict:
        return
    if flags := [flag for member, flag in _FLAGS.items() if dns.get(member) is True]:
        extra(event)["dns.header_flags"] = flags
    if "dns.answers" in event.get("extra", ()):
        return
    if "rdata" in dns and "version" not in dns:
        _single(event, dns)
    elif type(dns.get("grouped")) is dict:
        grouped = dns["grouped"].items()
        found = [{"type": name, "data": data} for name, values in grouped for data in strings(values)]
        if found:
            set_answers(event, found)


def _single(event: Event, dns: dict[str, Any]) -> None:
    """Set the answer of version 1, whose name and type are the answer's; the query's record has the question."""
    event.pop("dns_question_name", None)
    event.pop("dns_question_type", None)
    set_answers(event, [_answer(dns)])
