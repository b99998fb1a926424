"""Parses messages of Exim about one mail: accepted (`<=`), delivered (`=>`, `->`, `*>`, `>>`), deferred (`==`), failed
(`**`).

https://www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html

Sender and recipients stand first, a quoted one may hold blanks; what the sender chooses else (message id, subject)
stands right of all that is read here.
"""

import re

from streams.base import StateStore
from streams.common.text import extra, put
from streams.exim.peers import HOST, INTERFACE, set_peer
from topics.event import Event

MAIL: Event = {
    "ogrewatch_service": "exim",
    "event_category": ["email"],
    "event_type": ["info"],
    "event_action": "mail_message",
}
LOGIN: Event = {
    "ogrewatch_service": "exim",
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "smtp_login",
}
_ADDRESS = r"(?:<>|\"(?:[^\"\\]|\\.){0,255}\"@\S{1,255}|[^\s\"<]\S{0,511})"
_TAKEN = re.compile(
    rf"<= (?P<sender>{_ADDRESS})(?: R=\S{{1,40}})?(?: H={HOST})?{INTERFACE}(?: U=(?P<user>\S{{1,64}}))?"
    r"(?: P=(?P<protocol>\S{1,32}))?(?P<rest>(?: .*)?)",
    re.DOTALL,
)
_DELIVERED = re.compile(
    rf"(?P<sign>=>|->|\*>|>>|==|\*\*) (?P<to>{_ADDRESS})(?: \((?:\S{{1,255}})\))?(?: <(?P<original>\S{{1,511}})>)?:?"
    rf"(?: F=<\S{{0,511}}>)?(?: P=<\S{{0,511}}>)?(?: R=(?P<router>\S{{1,64}}?))?(?: T=(?P<transport>\S{{1,64}}?))?"
    rf"(?: S=[0-9]{{1,12}})?(?: H={HOST})?{INTERFACE}(?P<rest>(?:[ :].*)?)",
    re.DOTALL,
)
_SIZE = re.compile(r" S=([0-9]{1,18})(?: .*)?", re.DOTALL)
_ID = re.compile(r" id=(\S{1,255})")
_LOGGED_IN = re.compile(r" A=([\w-]{1,64})(?::(\S{1,255}))?")
_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*+"|\\.', re.DOTALL)
"""What is quoted; and what is escaped outside of quotes, so that one quote that is never closed is looked at once."""
_SIGNS = {"==": ("mail_deferred", "failure"), "**": ("mail_bounced", "failure")}


def parse(text: str, identity: str, event: Event, state: StateStore) -> bool:
    """Set the columns of what follows the id of a message; False for what is not about accepting or delivering it."""
    if found := _TAKEN.fullmatch(text):
        _taken(found, identity, event, state)
    elif found := _DELIVERED.fullmatch(text):
        _delivered(found, event)
    elif text == "Completed":
        event.update(MAIL, event_action="mail_removed")
    else:
        return False
    return True


def _taken(found: re.Match[str], identity: str, event: Event, state: StateStore) -> None:
    event.update(MAIL, event_action="mail_taken", event_outcome="success")
    fields = extra(event)
    if found["sender"] != "<>":
        fields["email.from.address"] = [found["sender"]]
    put(fields, "exim.protocol", found["protocol"] or "")
    before, size, after = _split_at_size(found["rest"])
    if size:
        fields["exim.size"] = int(size)
    if named := _ID.match(after):
        fields["email.message_id"] = named[1]
    if not found["ip"]:
        put(event, "user_name", found["user"] or "")
        return
    set_peer(found, event)
    if login := _LOGGED_IN.search(_QUOTED.sub(_without_quoted, before)):
        _set_login(login, identity, event, state)


def _without_quoted(found: re.Match[str]) -> str:
    return '""' if found[0].startswith('"') else found[0]


def _split_at_size(rest: str) -> tuple[str, str, str]:
    """What stands before the size, which is Exim's own, the size, and what follows it."""
    at = rest.find(" S=")
    found = _SIZE.fullmatch(rest, at) if at >= 0 else None
    return (rest[:at], found[1], rest[found.end(1) :]) if found else (rest, "", "")


def _set_login(login: re.Match[str], identity: str, event: Event, state: StateStore) -> None:
    """Set the login of a mail. The first mail of a connection counts as an attempt."""
    event.update(LOGIN, event_outcome="success")
    extra(event)["exim.authenticator"] = login[1]
    put(event, "user_name", login[2] or "")
    port = event.get("source_port")
    key = f"exim {event.get('host_hostname', '')} {event.get('source_ip', '')} {port}"
    first = (state.get(key) if port else None) or identity
    if first == identity:
        event["ogrewatch_attempt"] = 1
        if port:
            state.put(key, identity)


def _delivered(found: re.Match[str], event: Event) -> None:
    action, outcome = _SIGNS.get(found["sign"], ("mail_delivery", "success"))
    event.update(MAIL, event_action=action, event_outcome=outcome)
    fields = extra(event)
    fields["email.to.address"] = [found["original"] or found["to"]]
    for name in ("router", "transport"):
        put(fields, "exim." + name, found[name] or "")
    if found["ip"]:
        set_peer(found, event, "destination")
    put(fields, "event.reason", found["rest"].strip(" :"))
