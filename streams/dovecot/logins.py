"""Parses login lines of dovecot: `Login: user=<alice>, method=PLAIN, rip=192.0.2.10, lip=192.0.2.1, TLS`.

The client chooses the name. Address and the rest stand right of it, so they are looked for from the right.
Source: dovecot src/login-common/client-common.c (`client_get_log_str`, `client_get_extra_disconnect_reason`).
"""

import re

from streams.common.text import extra, number, put, set_endpoint
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "dovecot"}
_LOGIN: Event = {
    **SERVICE,
    "event_category": ["authentication", "session"],
    "event_type": ["start"],
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
_FAILED: Event = {
    **SERVICE,
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_outcome": "failure",
}
_REFUSED: Event = {**_FAILED, "event_type": ["info"]}
_LEFT: Event = {**SERVICE, "event_category": ["authentication"], "event_type": ["end"]}

_CLIENT = re.compile(
    r"(?:user=<(.*)>, )?(?:method=([^,<>]{0,64}), )?rip=([^,\s]{1,64})(?:, rport=([0-9]{1,5}))?"
    r"(?:, lip=([^,\s]{1,64}))?(?:, lport=([0-9]{1,5}))?(?:, (.*))?",
    re.DOTALL,
)
_TRIES = re.compile(r"auth failed, ([0-9]{1,9}) attempts?")
_MOST_TRIES = 1000
_VERDICTS = ("(auth failed)", "(user disabled)", "(password expired)", "(login disabled)", "(authorization failed)")
"""What dovecot says instead of how often it failed: one attempt, refused."""
_TROUBLES = ("tried to use ", "didn't finish", "temporary failure", "internal failure", "exceeded", "auth failed")


def login(protocol: str, text: str, event: Event) -> bool:
    """Set the columns of what `imap-login` and its like say of a client; False when `text` names none."""
    at = text.find(": user=<")
    if at < 0:
        at = text.find(": rip=")
    found = _CLIENT.fullmatch(text[at + 2 :]) if at >= 0 else None
    if found is None:
        return False
    _verdict(text[:at], protocol, event)
    user, method, address, port, own, own_port, more = found.groups("")
    put(event, "user_name", user)
    set_endpoint(event, "source", address, port)
    set_endpoint(event, "destination", own, own_port)
    fields = extra(event)
    fields["network.protocol"] = protocol
    if method:
        fields["dovecot.method"] = method
    if more:
        fields["dovecot.more"] = more
    return True


def _verdict(said: str, protocol: str, event: Event) -> None:
    event["event_action"] = f"{protocol}_login"
    if said in ("Login", "Logged in"):
        event.update(_LOGIN)
        return
    extra(event)["dovecot.reason"] = said
    if tries := _TRIES.search(said):
        event.update(_FAILED)
        event["ogrewatch_attempt"] = min(max(number(tries[1]) or 1, 1), _MOST_TRIES)
    elif said.endswith(_VERDICTS):
        event.update(_FAILED, ogrewatch_attempt=1)
    elif any(trouble in said for trouble in _TROUBLES):
        event.update(_REFUSED)
    else:
        event.update(_LEFT, event_action=f"{protocol}_disconnected")
