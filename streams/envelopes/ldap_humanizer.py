"""Reads events of MozDef's LDAP humanizer, which joins the lines of slapd and sends the result of each operation.

They are the `details` of an event whose summary begins with `LDAP-Humanizer:`. A BIND that has its result is an attempt
by the rule for slapd's own lines (`streams/ATTEMPTS.md`). Members may be of any type, or missing; one that is not as
expected sets nothing. https://github.com/mozilla/ldap-access-log-humanizer
"""

import re
from typing import Any

from streams.common.ldap import ACCESS, BIND, SERVICE, user_of
from streams.common.text import is_ip, set_ip
from topics.event import Event

SUMMARY = "LDAP-Humanizer:"
_CONNECTION: Event = {**SERVICE, "event_category": ["network"], "event_type": ["connection", "info"]}
_ANSWERS = ("LDAP_SUCCESS", "LDAP_COMPARE_FALSE", "LDAP_COMPARE_TRUE")
_MORE_STEPS = "LDAP_SASL_BIND_IN_PROGRESS"
_CODES = {"0": "LDAP_SUCCESS", "14": _MORE_STEPS}
_ERROR = re.compile(r"err=([0-9]{1,5}),?")
_VERBS = frozenset(
    ("ADD", "MOD", "PASSMOD", "BIND", "SRCH", "EXT", "STARTTLS", "UNBIND", "CMP", "WHOAMI", "DEL", "ABANDON")
)
_NOBODY = ""


def describe(details: dict[str, Any], event: Event) -> None:
    """Set who did what from where, and the outcome."""
    client, user = details.get("client"), details.get("user")
    if type(client) is str and is_ip(client):
        set_ip(event, "source", client)
    if type(user) is str and user:
        event["user_name"] = user
    requests = [request for request in _list(details.get("requests")) if type(request) is dict]
    verbs = [verb for request in requests if type(verb := request.get("verb")) is str and verb in _VERBS]
    response = details.get("response")
    result = _result(response) if type(response) is dict else ""
    if "BIND" in verbs:
        _bind(requests, result, event)
    elif verbs:
        event.update(ACCESS, event_action=f"ldap_{verbs[0].lower()}")
        _set_outcome(result, event)
    else:
        event.update(_CONNECTION)


def _bind(requests: list[dict[str, Any]], result: str, event: Event) -> None:
    event.update(BIND)
    name = _name(requests)
    event.pop("user_name", None)  # `user` may be who was bound before
    if name:
        event["user_name"] = user_of(name) or name
    _set_outcome(result, event)
    if result == _MORE_STEPS:
        event.update(event_type=["info"], event_outcome="unknown")
    elif result and name != _NOBODY:
        event["ogrewatch_attempt"] = 1


def _name(requests: list[dict[str, Any]]) -> str | None:
    """The DN of a BIND, "" for an anonymous one; None when the blanks in it have torn it, or there are several."""
    words = [word for request in requests if request.get("verb") == "BIND" for word in _list(request.get("details"))]
    names = {word[4:] for word in words if type(word) is str and word.startswith('dn="')}
    named = names - {'"'}
    if len(named) == 1 and (name := named.pop()).endswith('"'):
        return name[:-1]
    return _NOBODY if names == {'"'} else None


def _result(response: dict[str, Any]) -> str:
    """The name of the result's code; "" when there is no result."""
    error = response.get("error")
    if type(error) is str and error:
        return error
    codes = [
        found[1] for word in _list(response.get("details")) if type(word) is str and (found := _ERROR.fullmatch(word))
    ]
    return _CODES.get(codes[0], "UNKNOWN") if codes else ""


def _set_outcome(result: str, event: Event) -> None:
    if result:
        event["event_outcome"] = "success" if result in _ANSWERS else "failure"


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []
