"""Counts login attempts: records of protocols that do nothing but authenticate, when they tell the verdict.

https://docs.zeek.org/en/current/logs/kerberos.html, https://docs.zeek.org/en/current/logs/ldap.html
"""

from collections.abc import Callable
from typing import Any

from topics.event import Event

_ASKS = frozenset({"KDC_ERR_PREAUTH_REQUIRED", "KRB_ERR_RESPONSE_TOO_BIG", "KDC_ERR_WRONG_REALM"})
"""Answers of a KDC that ask for another request, so that there is no verdict yet."""
_UNDECIDED = frozenset({"saslbindinprogress", "referral"})
_BIND: Event = {"event_category": ["authentication", "network"], "event_type": ["start", "connection"]}


def _kerberos(event: Event, record: dict[str, Any]) -> bool:
    error = record.get("error_msg")
    return event.get("event_action") == "AS" and not (type(error) is str and error in _ASKS)


def _always(event: Event, record: dict[str, Any]) -> bool:
    return True


def _radius(event: Event, record: dict[str, Any]) -> bool:
    return record.get("result") in ("success", "failed")


def _ldap(event: Event, record: dict[str, Any]) -> bool:
    result = record.get("result")
    if type(result) is not str or not result:
        return False
    plain = result.lower().replace(" ", "")
    event["event_outcome"] = "success" if plain == "success" else "unknown" if plain in _UNDECIDED else "failure"
    if not event.get("event_action", "").startswith("bind"):
        return False
    event.update(_BIND)
    return plain not in _UNDECIDED and bool(event.get("user_name"))


_LOGINS: dict[str, Callable[[Event, dict[str, Any]], bool]] = {
    "kerberos": _kerberos,
    "ntlm": _always,
    "radius": _radius,
    "ldap": _ldap,
}


def count(log: str, event: Event, record: dict[str, Any]) -> None:
    """Set the service of a login, and whether the record is an attempt."""
    if log in _LOGINS:
        event["ogrewatch_service"] = log
        if _LOGINS[log](event, record) and event.get("event_outcome") in ("success", "failure"):
            event["ogrewatch_attempt"] = 1
