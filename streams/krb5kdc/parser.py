"""Parses messages of MIT Kerberos' KDC and kadmind: tickets issued and refused, requests of administrators.

It reads `AS_REQ (8 etypes {18 17 ...}) 192.0.2.10: ISSUE: ...` and `TGS_REQ ...`, krb5 1.8 to 1.21, by syslog or in its
file (`krb5kdc[12](info): ...`); kadmind's `Request: ...` and `chpw request ...`. `streams/ATTEMPTS.md` says which lines
are attempts. Sources: krb5 src/kdc/kdc_log.c (`log_as_req`, `log_tgs_req`), src/kdc/do_as_req.c,
src/kadmin/server/server_stubs.c.
https://web.mit.edu/kerberos/krb5-latest/doc/

The client chooses both principals, which may hold ` for ` and commas. Address and status stand left of them.
"""

import re

from streams.base import StateStore, Stream
from streams.common.text import extra, put, set_endpoint
from streams.mapping.rules import LONGEST, Rule, Rules
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "kerberos"}
_TICKET: Event = {
    **_SERVICE,
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "kerberos_authentication",
    "event_outcome": "success",
}
_ISSUED: Event = {**_TICKET, "ogrewatch_attempt": 1}
_REFUSED: Event = {**_ISSUED, "event_outcome": "failure"}
_ASKED: Event = {**_TICKET, "event_type": ["info"], "event_outcome": "unknown"}
_SERVED: Event = {**_TICKET, "event_type": ["info"], "event_action": "kerberos_service_ticket"}
_NOT_SERVED: Event = {**_SERVED, "event_outcome": "failure"}
_ADMIN: Event = {
    **_SERVICE,
    "event_category": ["iam"],
    "event_type": ["admin"],
    "event_action": "kadmin_request",
    "event_outcome": "success",
}
_ADMIN_REFUSED: Event = {**_ADMIN, "event_outcome": "failure"}
_DETAIL: Event = {
    **_SERVICE,
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "kerberos_message",
}
_SERVER: Event = {**_SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}

_FILE_TAG = re.compile(r"(krb5kdc|kadmind)\[([0-9]{1,10})\]\(([A-Za-z]{3,9})\): ")
_REQUEST = re.compile(
    r"(AS|TGS)_REQ (?:\(([^()]{0,512}(?:\([^()]{0,16}\)[^()]{0,64}){0,32})\) )?([0-9A-Fa-f.:]{2,45}|<unknown>)"
    r"(?:\([0-9]{1,5}\))?: ([A-Z0-9_ -]{2,64}): (.*)",
    re.DOTALL,
)
_ISSUE = re.compile(r"authtime ([0-9]{1,12}), (?: ?(?:etypes \{([^{}]{0,256})\}|),? ?)(.*)", re.DOTALL)
_PREAUTH_WANTED = frozenset(("NEEDED_PREAUTH", "PREAUTH_REQUIRED", "MORE_PREAUTH_DATA_REQUIRED"))
"""Statuses with which the KDC asks for a password or another step: the client's next request has the verdict."""
_REASON = r"(?P<reason>.*)"

_MESSAGES = Rules(
    "krb5kdc",
    {
        "Request:": (
            Rule(
                r"(?P<request>[a-z0-9_]{1,64}), (?P<principal>.*), (?P<result>[^,]*), client=(?P<user_name>[^,]*), "
                r"service=(?P<service>[^,]*), addr=(?P<source_ip>[^,\s]*)(?:, .*)?",
                _ADMIN,
            ),
        ),
        "Unauthorized": (
            Rule(
                r"request: (?P<request>[a-z0-9_]{1,64}), (?P<principal>.*), client=(?P<user_name>[^,]*), "
                r"service=(?P<service>[^,]*), addr=(?P<source_ip>[^,\s]*)",
                _ADMIN_REFUSED,
            ),
        ),
        "chpw": (
            Rule(
                r"request from (?P<source_ip>\S+) for (?P<user_name>.*): (?P<result>[^:]*)",
                {**_ADMIN, "event_type": ["user", "change"], "event_action": "kadmin_password_change"},
            ),
        ),
        "preauth": (
            Rule(r"\((?P<mechanism>[^()]*)\) verify failure: (?P<reason>.*)", {**_DETAIL, "event_outcome": "failure"}),
        ),
        "...": (Rule(r"(?P<kind>[A-Z-]+) s4u-client=(?P<user_effective_name>.*)", _DETAIL),),
        "DISPATCH:": (
            Rule(r"repeated \(retransmitted\?\) request from (?P<source_ip>[0-9A-Fa-f.:]+), (?P<reason>.*)", _DETAIL),
            Rule(_REASON, _SERVER),
        ),
        "commencing": (Rule("operation", {**_SERVER, "event_type": ["start"]}),),
        "starting": (Rule(_REASON, {**_SERVER, "event_type": ["start"]}),),
        "shutting": (Rule(_REASON, {**_SERVER, "event_type": ["end"]}),),
        "finished,": (Rule(_REASON, {**_SERVER, "event_type": ["end"]}),),
        "setting": (Rule(_REASON, _SERVER),),
        "set": (Rule(_REASON, _SERVER),),
        "listening": (Rule(_REASON, _SERVER),),
        "closing": (Rule(_REASON, _SERVER),),
        "creating": (Rule(_REASON, _SERVER),),
        "Got": (Rule(_REASON, _SERVER),),
        "worker": (Rule(_REASON, _SERVER),),
        "Loaded": (Rule(_REASON, _SERVER),),
        "No": (Rule(_REASON, _SERVER),),
    },
)


def sniff(text: str) -> bool:
    """Whether a line without a program begins like one of the KDC's own file, after the host."""
    return _FILE_TAG.match(text) is not None


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False when it is about neither tickets nor the server."""
    tag = _FILE_TAG.match(message)
    if tag is None:
        return _message(message, event)
    if not _message(message[tag.end() :], event):
        return False
    event["process_name"], event["process_pid"] = tag[1], int(tag[2])
    extra(event)["log.level"] = tag[3].lower()
    return True


def _message(message: str, event: Event) -> bool:
    found = _REQUEST.fullmatch(message) if len(message) <= LONGEST else None
    if found is None:
        return _other(message, event)
    kind, etypes, address, status, rest = found.groups()
    names = _issue(rest, event) if status == "ISSUE" or rest.startswith("authtime ") else rest
    _verdict(kind, status, event)
    set_endpoint(event, "source", "" if address == "<unknown>" else address)
    _principals(names, status, event)
    fields = extra(event)
    fields["krb5kdc.status"] = status
    if etypes:
        fields["krb5kdc.requested_etypes"] = etypes
    return True


def _issue(rest: str, event: Event) -> str:
    """Set the encryption types of `authtime 1764000000, etypes {rep=18 tkt=18 ses=18}, ` and return what follows."""
    found = _ISSUE.fullmatch(rest)
    if found is None:
        return rest
    if found[2]:
        extra(event)["krb5kdc.etypes"] = found[2]
    return found[3]


def _verdict(kind: str, status: str, event: Event) -> None:
    if kind == "TGS":
        event.update(_SERVED if status == "ISSUE" else _NOT_SERVED)
    elif status == "ISSUE":
        event.update(_ISSUED)
    else:
        event.update(_ASKED if status in _PREAUTH_WANTED else _REFUSED)


def _principals(names: str, status: str, event: Event) -> None:
    """Set the principals of `alice@EXAMPLE.NET for krbtgt/EXAMPLE.NET@EXAMPLE.NET, Preauthentication failed`."""
    client, _, rest = names.partition(" for ")
    service, comma, reason = rest.partition(", ") if status != "ISSUE" else (rest, "", "")
    fields = extra(event)
    if client and client != "<unknown client>":
        put(event, "user_name", client.partition("@")[0])
        fields["krb5kdc.client"] = client
        if realm := client.rpartition("@")[2] if "@" in client else "":
            fields["user.domain"] = realm
    if service:
        fields["krb5kdc.service"] = service
    if comma and reason:
        fields["krb5kdc.reason"] = reason


def _other(message: str, event: Event) -> bool:
    if not _MESSAGES.parse(message, event):
        return False
    if user := event.get("user_name"):
        fields = extra(event)
        fields["krb5kdc.client"] = user
        event["user_name"] = user.partition("@")[0] or user
        if fields.get("krb5kdc.result", "success") != "success":
            event["event_outcome"] = "failure"
    return True


STREAM = Stream(name="krb5kdc", programs=("krb5kdc", "kadmind"), parse=parse, sniff=sniff)
