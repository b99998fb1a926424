"""Parses messages of dovecot: logins, refusals and their reasons, sessions, mail delivered.

It reads dovecot 1.0 to 2.4 by syslog (`dovecot: imap-login: Login: ...`) or in its own file (`imap-login: Info: ...`);
PAM lines under it. `streams/ATTEMPTS.md` says which lines are attempts. Sources: dovecot
src/login-common/client-common.c, src/auth/auth-request.c (`get_log_prefix`), src/imap/imap-client.c, src/lmtp/.
https://doc.dovecot.org/

Names of `auth` lines stand in `pam(alice,192.0.2.1,<session>): ...`: the address is the last one before the text.
"""

import re

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.text import extra, is_ip, put, set_endpoint
from streams.dovecot.logins import SERVICE, login
from topics.event import Event

_CHECK: Event = {
    **SERVICE,
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "dovecot_authentication",
}
_DENIED: Event = {**_CHECK, "event_outcome": "failure"}
_ENDED: Event = {
    **SERVICE,
    "event_category": ["session"],
    "event_type": ["end"],
    "event_action": "session_closed",
}
_SESSION: Event = {**_ENDED, "event_type": ["info"], "event_action": "dovecot_message"}
_MAIL: Event = {**SERVICE, "event_category": ["email"], "event_type": ["info"], "event_action": "mail_delivery"}
_SERVER: Event = {**SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}
_TROUBLE: Event = {**_SERVER, "event_outcome": "failure"}

_LEVELS = ("Info: ", "Warning: ", "Error: ", "Fatal: ", "Panic: ", "Debug: ")
_TROUBLES = ("Error: ", "Fatal: ", "Panic: ")
_LOGINS = {
    "imap-login": "imap",
    "pop3-login": "pop3",
    "submission-login": "submission",
    "managesieve-login": "managesieve",
    "sieve-login": "managesieve",
}
_AUTH = ("auth", "auth-worker", "auth(default)", "auth-worker(default)", "dovecot-auth")
_WORKER_OF = re.compile(r"(?:conn unix:\S{1,255} \([^()]{0,64}\): )?(?:auth-worker<[0-9]{1,10}>: )?")
_LOOKUP = re.compile(
    r"([a-z][a-z0-9_-]{1,24})\((.*),([0-9A-Fa-f.:]{0,45})(?:,master)?(?:,(?:<[^<>]{0,64}>)?)?\): (.*)", re.DOTALL
)
_PLACE = re.compile(r",[0-9A-Fa-f.:]{0,45}(?:,master)?(?:,(?:<[^<>]{0,64}>)?)?\): ")
_DRIVER = re.compile(
    r"auth(?:-worker)?\((.*),([0-9A-Fa-f.:]{0,45})(?:,[a-z:-]{0,40})?\)(?:<[^<>]{0,64}>)?: "
    r"(?:[A-Z][a-z]{2,9}: )?([a-z-]{2,24}): (.*)",
    re.DOTALL,
)
"""What a database says since dovecot 2.4."""
_GIVEN = re.compile(r" \((?:given password|username|SHA1 of given password)\b.*", re.DOTALL)
_GIVEN_AGAIN = re.compile(r" \((?:given password|username|SHA1 of given password)\b")
_ACCOUNT = re.compile(
    r"(imap|pop3|submission|managesieve|lmtp|lda|deliver|imap-urlauth|indexer-worker)\((?:[0-9]{1,10}, ?)?(.*?)\)"
    r"(?:<([0-9]{1,10})><([^<>]{0,64})>)?: (.*)",
    re.DOTALL,
)
_ENDS = ("Logged out", "Disconnected", "Connection closed", "Session has been", "Server shutting down")
_REFUSALS = (
    *("unknown user", "mismatch", "failed", "invalid credentials", "denied", "disallowed", "expired", "disabled"),
    *("not found", "locked", "no such user", "authentication failure", "nologin", "user unknown"),
)
_MESSAGE_ID = re.compile(r"msgid=<?([^>:\s]{1,255})>?")
_CONNECTIONS = ("Connect from ", "Disconnect from ")
"""What lmtp says before it knows of a user: `lmtp(123)` is then the process."""
_SERVERS = (
    *("master", "config", "log", "anvil", "stats", "dict", "indexer", "ssl-params", "doveadm", "replicator", "auth"),
    *("aggregator", "ipc", "director", "imap-hibernate", "auth-worker", "lmtp", "imap", "pop3", "managesieve"),
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message of dovecot; False when it is of none of its services."""
    level, text = _level(message, event)
    name = event.get("process_name", "").rpartition("/")[2].lower()
    if name in ("dovecot", "dovecot-auth") and (found := _DRIVER.fullmatch(text)):
        who = (found[1], found[2], found[4]) if _sure(found, text) else ("", "", "")
        _looked_up(found[3], *who, event)
        return True
    if name in ("dovecot", "dovecot-auth"):
        if text.startswith("pam_"):
            return _service("auth", text, event)
        service, _, text = text.partition(": ")
        level, text = (level, text) if level else _level(text, event)
    else:
        service = event.get("process_name", "") if "(" in name else name
    if not (
        _service(service, text, event) or _account(f"{service}: {text}", event) or _other(service, level, text, event)
    ):
        return False
    if "(" in name:
        event["process_name"] = event["process_name"].partition("(")[0]
    return True


def _level(text: str, event: Event) -> tuple[str, str]:
    if not text.startswith(_LEVELS):
        return "", text
    level, _, rest = text.partition(" ")
    return level + " ", rest


def _service(service: str, text: str, event: Event) -> bool:
    if protocol := _LOGINS.get(service):
        return login(protocol, text, event)
    if service.partition("(")[0] not in _AUTH:
        return False
    if pam_lines.parse(text, event, "dovecot_authentication"):
        event.update(SERVICE)
        return True
    return _lookup(text, event)


def _lookup(text: str, event: Event) -> bool:
    """`sql(alice,192.0.2.1,<session>): Password mismatch`; what follows may tell what the client typed."""
    start = _WORKER_OF.match(text)
    text = text[start.end() :] if start else text
    given = _GIVEN.search(text)
    sure = given is None or _ends_with_what_was_given(text, given.start())
    found = _LOOKUP.fullmatch(text[: given.start()] if given and sure else text)
    if found is None:
        return False
    database, user, address, said = found.groups() if sure else (found[1], "", "", "")
    if not address and is_ip(user.rpartition(",")[2]):  # `ldap(alice,192.0.2.1,)`
        user, _, address = user.rpartition(",")
    _looked_up(database, user, address, said, event)
    return True


def _sure(found: re.Match[str], text: str) -> bool:
    """Whether a driver's line is unambiguous: it names one address, and tells no password."""
    return "): " not in found[1] and _GIVEN.search(text) is None and _PLACE.search(found[4]) is None


def _looked_up(database: str, user: str, address: str, said: str, event: Event) -> None:
    lowered = said.lower()
    event.update(_DENIED if any(word in lowered for word in _REFUSALS) else _CHECK)
    put(event, "user_name", user if user != "?" else "")
    set_endpoint(event, "source", address)
    extra(event)["dovecot.database"] = database
    put(extra(event), "dovecot.reason", said)


def _ends_with_what_was_given(text: str, start: int) -> bool:
    """Whether what begins at `start` is what dovecot adds of the password, and not a part of the name: no other address
    follows, or one whose reason closes a parenthesis that it has not opened, as none of dovecot's own does."""
    if _GIVEN_AGAIN.search(text, start + 1):
        return False
    places = list(_PLACE.finditer(text, start))
    said = text[places[-1].end() :] if places else ")"
    return said.count(")") > said.count("(")


def _account(text: str, event: Event) -> bool:
    """`imap(alice)<123><session>: Disconnected: Logged out in=10 out=20`: what a user's own process says."""
    found = _ACCOUNT.fullmatch(text)
    if found is None:
        return False
    service, user, _, session, said = found.groups()
    said = _level(said, event)[1]
    if service in ("lmtp", "lda", "deliver"):
        event.update(_MAIL)
        if mail := _MESSAGE_ID.search(said):
            extra(event)["email.message_id"] = mail[1]
    else:
        event.update(_ENDED if said.startswith(_ENDS) else _SESSION)
    if service == "lmtp" and user.isdigit() and said.startswith(_CONNECTIONS):
        extra(event)["dovecot.process"] = user
    else:
        put(event, "user_name", user)
    fields = extra(event)
    fields["dovecot.service"] = service
    fields["dovecot.reason"] = said
    if session:
        fields["dovecot.session"] = session
    return True


def _other(service: str, level: str, text: str, event: Event) -> bool:
    """Parse what dovecot says about itself."""
    base = service.partition("(")[0]
    if not text or (base not in _SERVERS and base not in _LOGINS):
        return False
    event.update(_TROUBLE if level in _TROUBLES else _SERVER)
    extra(event).update({"dovecot.service": base, "dovecot.reason": text})
    return True


STREAM = Stream(
    name="dovecot",
    programs=(
        *("dovecot", "dovecot-auth", "auth", "auth-worker", *_LOGINS, "lmtp"),
        *("imap(", "pop3(", "lmtp(", "lda(", "deliver(", "managesieve(", "submission("),
    ),
    parse=parse,
)
