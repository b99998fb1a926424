"""Parses the messages of postfix about one mail: whose it is, what became of it, why it was refused.

Each message follows the mail's queue id (or NOQUEUE). Sources: postfix 2.6 to 3.9, src/smtpd/smtpd.c (log_whatsup),
src/global/{log_adhoc,deliver_pass}.c, src/qmgr/*.c, src/cleanup/*.c, src/pickup/pickup.c.
"""

import re
from collections.abc import Callable

from streams.common.text import extra, is_ip, number, put, set_endpoint
from streams.postfix.patterns import (
    DELIVERED,
    HELD,
    LOGIN,
    MAIL,
    PEER,
    QUEUED,
    REFUSED,
    REMOVED,
    TAKEN,
    UNDELIVERED,
)
from streams.postfix.session import Session
from topics.event import Event

_PEER = re.compile(PEER)
_VERDICT = re.compile(rf"(?:(?P<stage>[A-Z-]{{1,32}}(?: command)?) )?from {PEER}: (?P<reply>.*)", re.DOTALL)
_SENDER = re.compile(rf" from {PEER}; (?=from=<)")
_STAGE = re.compile(r"[A-Z-]{1,32}")
_ENVELOPE = re.compile(
    r"(?:from=<(?P<from>[^>]{0,512})>,? ?)?(?:to=<(?P<to>[^>]{0,512})>,? ?)?(?:proto=(?P<proto>[A-Z]{1,16}),? ?)?"
    r"(?:helo=<(?P<helo>[^>]{0,512})>)?(?: sasl_username=<(?P<user>.*)>)?"
)
_ENVELOPE_AT = re.compile(r"; (?=from=<|to=<|proto=)")
_REPLY = re.compile(r"([2-5][0-9]{2})(?: ([245]\.[0-9]{1,3}\.[0-9]{1,3}))? ")
_RELAY = re.compile(r"([^\s\[\]]{1,255})\[([^\]]{1,255})\](?::([0-9]{1,5}))?")
_BARE_RELAY = re.compile(r"([0-9A-Za-z.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
"""As a relay is configured, or an older postfix writes it."""
_STATUS = re.compile(r"([a-z]{1,16})(?: \((.*)\))?", re.DOTALL)
_DELIVERY_KEYS = frozenset(("delay", "delays", "dsn", "conn_use", "tls", "size", "nrcpt", "orig_to"))
_GOOD = frozenset(("sent", "deliverable"))
_PAIR = re.compile(r"([a-z_]{1,16})=(<[^>]{0,512}>|[^\s,]{0,512}+)(?:, | |$)")
_LONGEST_PAIRS = 4096

Handler = Callable[[str, Event, Session], bool]


def _client(rest: str, event: Event, session: Session) -> bool:
    """Parse who hands in a mail: `client=NAME[ADDRESS], sasl_method=PLAIN, sasl_username=alice`."""
    found = _PEER.match(rest)
    if found is None:
        return False
    event.update(TAKEN)
    set_peer(found, event)
    login = rest[found.end() :]
    before, _, user = login.partition(", sasl_username=")
    if user:
        user = user.partition(", sasl_sender=")[0].partition(", orig_")[0]
        method = before.partition("sasl_method=")[2]
        event.update(LOGIN, event_outcome="success", user_name=user)
        put(extra(event), "postfix.sasl_method", method)
        if session.is_first_mail(event):
            event["ogrewatch_attempt"] = 1
    elif login:
        extra(event)["postfix.detail"] = login.lstrip(", ")
    return True


def set_peer(found: re.Match[str], event: Event) -> None:
    """Set the columns of a match of `PEER`."""
    set_endpoint(event, "source", found["source_ip"].replace("unknown", ""), found["source_port"] or "")
    name = found["reverse_name"]
    if name not in ("", "unknown"):
        extra(event)["source.domain"] = name


def _delivery(rest: str, event: Event, session: Session) -> bool:
    """Parse `to=<a@b>, relay=mx[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)`."""
    if rest.count(", relay=") > 1 and rest.count(">, relay=") != 1:  # the recipient or the other server has such a name
        event.update(QUEUED)
        return True
    address, _, more = rest.partition(">, " if rest.startswith("<") else ", ")
    if not rest.startswith("<") and (" " in address or "<" in address):  # where the address ends is not certain
        event.update(QUEUED)
        return True
    before, _, after = more.partition("status=")
    found = _STATUS.fullmatch(after)
    if found is None:
        return False
    status, reply = found.groups()
    event.update(DELIVERED if status in _GOOD else UNDELIVERED)
    fields = extra(event)
    fields["email.to.address"] = [address.lstrip("<")]
    fields["postfix.status"] = status
    if reply:
        fields["postfix.reply"] = reply
    _set_pairs(before, event)
    return True


def _set_pairs(text: str, event: Event) -> None:
    fields = extra(event)
    for key, value in _PAIR.findall(text[:_LONGEST_PAIRS]):
        if key == "relay":
            _set_relay(value, event)
        elif key in _DELIVERY_KEYS and value:
            fields[f"postfix.{key}"] = value.strip("<>")


def _set_relay(relay: str, event: Event) -> None:
    found = _RELAY.fullmatch(relay)
    if found is None and (bare := _BARE_RELAY.fullmatch(relay)):
        name, port = bare.groups()
        put(extra(event), "destination.domain", "" if is_ip(name) else name)
        set_endpoint(event, "destination", name, port)
        return
    if found is None:
        put(extra(event), "postfix.relay", relay)
        return
    extra(event)["destination.domain"] = found[1]
    if "/" in found[2]:
        extra(event)["postfix.relay"] = relay
    else:
        set_endpoint(event, "destination", found[2], found[3] or "")


def _queued(rest: str, event: Event, session: Session) -> bool:
    """Parse `from=<a@b>, size=10, nrcpt=1 (queue active)`, `from=<a@b>, status=expired, returned to sender`."""
    address, closed, more = rest.partition(">, ")
    if not closed:
        return False
    if ">, " in more:  # the sender has such a name
        event.update(QUEUED)
        return True
    event.update(UNDELIVERED if more.startswith("status=") else QUEUED)
    if sender := address.lstrip("<"):
        extra(event)["email.from.address"] = [sender]
    if more.startswith("status="):
        extra(event)["postfix.status"] = more[7:].partition(",")[0]
    else:
        _set_pairs(more.partition(" (")[0], event)
    return True


def _picked_up(rest: str, event: Event, session: Session) -> bool:
    """Parse `uid=0 from=<root>` of a mail that was handed in on the host itself."""
    uid, _, sender = rest.partition(" from=<")
    if not sender.endswith(">") or number(uid, 10) is None:
        return False
    event.update(TAKEN, user_id=uid)
    if sender[:-1]:
        extra(event)["email.from.address"] = [sender[:-1]]
    return True


def _identified(rest: str, event: Event, session: Session) -> bool:
    event.update(MAIL)
    put(extra(event), "email.message_id", rest.removeprefix("<").removesuffix(">"))
    return True


def _verdict(columns: Event) -> Handler:
    def handle(rest: str, event: Event, session: Session) -> bool:
        """Parse `RCPT from NAME[ADDRESS]: 554 5.7.1 <x>: Relay access denied; from=<a> to=<b> proto=ESMTP helo=<c>`."""
        found = _VERDICT.match(rest)
        if found is None or rest[:1].islower():
            return _check(rest, event, columns) or _of_proxy(rest, event, columns)
        event.update(columns)
        set_peer(found, event)
        put(extra(event), "postfix.stage", found["stage"] or "")
        _set_reply(found["reply"], event)
        return True

    return handle


def _check(rest: str, event: Event, columns: Event) -> bool:
    """Parse `header Subject: x from NAME[ADDRESS]; from=<a> ...: 5.7.1 text`.

    The sender wrote what stands on either side of the address, so where there seem to be several, none is set.
    """
    if not rest.startswith(("header ", "body ", "mime-header ", "nested-header ")):
        return False
    event.update(columns)
    found = list(_SENDER.finditer(rest))
    if len(found) != 1:
        extra(event)["postfix.stage"] = rest
        return True
    set_peer(found[0], event)
    extra(event)["postfix.stage"] = rest[: found[0].start()]
    _set_envelope(rest[found[0].end() :], event)
    return True


def _of_proxy(rest: str, event: Event, columns: Event) -> bool:
    """Parse the answer of a filter before the queue: `END-OF-MESSAGE: 554 5.7.0 Reject; from=<a> ...`."""
    stage, colon, reply = rest.partition(": ")
    if not colon or not _STAGE.fullmatch(stage):
        return False
    event.update(columns)
    extra(event)["postfix.stage"] = stage
    _set_reply(reply, event)
    return True


def _set_reply(reply: str, event: Event) -> None:
    """Set postfix's reply, and the envelope that the client gave."""
    found = _ENVELOPE_AT.search(reply)
    reason, envelope = (reply[: found.start()], reply[found.end() :]) if found else (reply.removesuffix(";"), "")
    fields = extra(event)
    if code := _REPLY.match(reason):
        fields["postfix.reply_code"] = code[1]
        put(fields, "postfix.dsn", code[2] or "")
    put(fields, "event.reason", reason)
    _set_envelope(envelope, event)


def _set_envelope(envelope: str, event: Event) -> None:
    """Set `from=<a> to=<b> proto=ESMTP helo=<c> sasl_username=<d>`, and the text of a check that may follow."""
    fields = extra(event)
    found = _ENVELOPE.match(envelope)
    if found is None:
        return
    put(fields, "event.reason", envelope[found.end() :].lstrip(": ") or fields.get("event.reason", ""))
    for name, field in (("from", "email.from.address"), ("to", "email.to.address")):
        if found[name]:
            fields[field] = [found[name]]
    put(fields, "postfix.proto", found["proto"] or "")
    put(fields, "postfix.helo", found["helo"] or "")
    put(event, "user_name", found["user"] or "")


def _removed(rest: str, event: Event, session: Session) -> bool:
    event.update(REMOVED)
    return True


def other(text: str, event: Event) -> bool:
    """Keep any other text about a mail; False when it is empty."""
    if text:
        event.update(MAIL)
        extra(event)["postfix.detail"] = text
    return bool(text)


HANDLERS: dict[str, Handler] = {
    "client": _client,
    "to": _delivery,
    "from": _queued,
    "uid": _picked_up,
    "message-id": _identified,
    "resent-message-id": _identified,
    "removed": _removed,
    **dict.fromkeys(("reject:", "milter-reject:", "proxy-reject:"), _verdict(REFUSED)),
    **dict.fromkeys(("discard:", "milter-discard:"), _verdict(REFUSED)),
    **dict.fromkeys(("reject_warning:", "warn:", "warning:", "hold:", "milter-hold:", "filter:"), _verdict(HELD)),
    **dict.fromkeys(("redirect:", "prepend:", "replace:", "info:", "strip:", "bcc:", "permit:"), _verdict(HELD)),
}
"""By the first word of a message, or what stands before its equals sign."""
