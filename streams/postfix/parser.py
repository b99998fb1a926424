"""Parses messages of postfix's programs: connections, logins, mail accepted, refused and delivered.

It reads messages of `postfix/smtpd`, `postfix/submission/smtpd`, `postfix/smtp` and all others, 2.6 to 3.9. Patterns
are in `streams.postfix.messages` and `streams.postfix.mail`. `streams/ATTEMPTS.md` says which lines are attempts.
https://www.postfix.org/OVERVIEW.html, https://www.postfix.org/SASL_README.html

The client chooses its reverse name, HELO, mail addresses and the user of a login. Its IP address stands before all of
them except the reverse name, which holds neither blanks nor brackets.
"""

import re

from streams.base import StateStore, Stream
from streams.common.text import extra, put
from streams.postfix.mail import HANDLERS, other, set_peer
from streams.postfix.messages import MESSAGES, WARNINGS
from streams.postfix.patterns import CONNECTED, LOGIN, NOTED, PEER, TROUBLE
from streams.postfix.session import Session
from topics.event import Event

_QUEUE_ID = re.compile(r"(NOQUEUE|[0-9A-F]{6,16}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}): ")
_LEVELS = ("warning: ", "error: ", "fatal: ", "panic: ")
_LOGIN = re.compile(rf"{PEER}: SASL ([A-Za-z0-9_-]{{1,32}}) authentication (failed|aborted)(?:: ?(.*))?", re.DOTALL)
_UNVERIFIED = re.compile(r"([0-9A-Fa-f:.]{2,45}): (hostname \S{1,255} verification failed(?:: .*)?)", re.DOTALL)
_OF_PEER = re.compile(rf"{PEER}: (.*)", re.DOTALL)
_UNDECIDED = (
    *("Connection lost to authentication server", "Temporary authentication failure", "generic failure"),
    *("Invalid authentication mechanism", "no mechanism available", "bad protocol"),
)
"""Reasons that are no failure: the server could not check a password, or does not have the mechanism."""
_NOBODY = "unknown"


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False for a message that is not known."""
    if message.startswith(_LEVELS):
        level, _, text = message.partition(": ")
        return _warning(level, text, event)
    found = _QUEUE_ID.match(message)
    queue_id = found[1] if found else ""
    text = message[found.end() :] if found else message
    session = Session(queue_id, state)
    if not (_of_mail(text, event, session) or MESSAGES.parse(text, event) or (queue_id and other(text, event))):
        return False
    if event["event_action"] == CONNECTED["event_action"] and "source_ip" in event:
        session.start(event)
    if queue_id and queue_id != "NOQUEUE":
        extra(event)["postfix.queue_id"] = queue_id
    _name_fields(event)
    return True


def _of_mail(text: str, event: Event, session: Session) -> bool:
    word, _, rest = text.partition(" ")
    key, equals, _ = word.partition("=")
    handler = HANDLERS.get(key)
    return handler is not None and handler(text[len(key) + 1 :] if equals else rest, event, session)


def _warning(level: str, text: str, event: Event) -> bool:
    """Parse `warning: ...` and worse: a refused login, doubts about a peer, or trouble of the server's own."""
    if found := _LOGIN.fullmatch(text):
        _set_login(found, event)
    elif found := _UNVERIFIED.fullmatch(text):
        event.update(NOTED, source_ip=found[1])
        extra(event)["event.reason"] = found[2]
    elif not WARNINGS.parse(text, event):
        _set_trouble(text, event)
    extra(event)["log.level"] = level
    _name_fields(event)
    return True


def _set_login(found: re.Match[str], event: Event) -> None:
    """Set the columns of `NAME[ADDRESS]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob`."""
    event.update(LOGIN, event_outcome="failure")
    reason, _, user = (found[6] or "").partition(", sasl_username=")
    if found[5] == "failed" and not reason.startswith(_UNDECIDED):
        event["ogrewatch_attempt"] = 1
    set_peer(found, event)
    put(event, "user_name", user)
    extra(event)["postfix.sasl_method"] = found[4]
    put(extra(event), "event.reason", reason)


def _set_trouble(text: str, event: Event) -> None:
    event.update(TROUBLE)
    if found := _OF_PEER.fullmatch(text):
        set_peer(found, event)
    extra(event)["event.reason"] = text


_FIELDS = {
    "postfix.reverse_name": "source.domain",
    "postfix.next_hop": "destination.domain",
    "postfix.reason": "event.reason",
    "postfix.tls_cipher": "tls.cipher",
}


def _name_fields(event: Event) -> None:
    """Rename the fields that rules set to their ECS names, where there is one."""
    fields = event.get("extra")
    if not fields:
        return
    if fields.get("postfix.reverse_name") == _NOBODY:
        del fields["postfix.reverse_name"]
    if fields.get("source.address") == _NOBODY:
        del fields["source.address"]
    for own, name in _FIELDS.items():
        if own in fields:
            fields[name] = fields.pop(own)
    if not fields:
        del event["extra"]


STREAM = Stream(
    name="postfix",
    programs=(
        *("postfix", "postfix/lmtp", "postfix-script", "smtpd", "smtp", "postscreen", "qmgr", "nqmgr", "cleanup"),
        *("pickup", "bounce", "anvil", "tlsproxy", "trivial-rewrite", "scache", "dnsblog", "postsuper"),
    ),
    parse=parse,
)
"""A second instance has a name of its own: `postfix-out/smtpd`."""
