"""Parses lines of Exim's main log: mails accepted and delivered, refusals, logins that failed, connections.

It reads Exim 4's main and reject logs, by syslog (tag exim, with or without Exim's own time) or as lines of a file,
with the selectors that are set by default and `+pid`, `+incoming_port`, `+incoming_interface`, `+millisec`,
`+arguments`. https://www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html

The client chooses HELO, addresses and the user of a login: see `streams.exim.peers` and `streams.exim.mail`.
"""

import re

from streams.base import StateStore, Stream
from streams.common.text import extra, is_ip, put
from streams.exim import mail
from streams.exim.mail import LOGIN, MAIL
from streams.exim.peers import HOST, INTERFACE, set_peer
from streams.syslog.own_times import timed
from topics.event import Event

_IDENTITY = r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"
_START = re.compile(rf"(?:\[([0-9]{{1,10}})\] )?(?:({_IDENTITY}) )?")
_SNIFF = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?:\.[0-9]{3})?(?: [+-][0-9]{4})? (?:\[[0-9]{1,10}\] )?"
    rf"(?:{_IDENTITY} |H=[^\[]{{0,512}}\[|[\w-]{{1,64}} authenticator failed for |"
    r"(?:temporarily )?rejected [A-Z]{4} |"
    r"SMTP (?:connection|call|command|data|protocol) |TLS error on connection |unexpected disconnection while reading |"
    r"(?:Start|End) queue run: |exim [0-9.]{3,8} daemon started|cwd=/|no host name found for IP address )"
)
_FAILED = re.compile(
    rf"(?P<method>[\w-]{{1,64}}) authenticator failed for (?:H=)?{HOST}{INTERFACE}(?: U=\S{{1,64}})?: "
    r"(?P<reason>.{0,200}?)(?: \(set_id=(?P<user>.*)\))?",
    re.DOTALL,
)
_REJECTED = re.compile(
    rf"(?:H={HOST}{INTERFACE}(?P<details>.{{0,1024}}?) )?(?P<when>temporarily )?rejected "
    r"(?P<stage>[A-Z]{4,8}|connection|after [A-Z]{4}|by [a-z_]{4,20}\(\)|during MIME ACL checks)(?P<reason>[ :].*)",
    re.DOTALL,
)
_REST = re.compile(rf"from (?:H=)?{HOST}(?=:| |$)")
_FROM = re.compile(r"<(\S{1,511})>(.*)", re.DOTALL)
_SENDER = re.compile(r" F=<(\S{1,511})>")
_PEER = re.compile(
    rf"(?P<what>[A-Za-z][^\[\]]{{2,120}}?) (?:from|for) (?:H=)?{HOST}{INTERFACE}(?P<reason>.*)", re.DOTALL
)
_NO_NAME = re.compile(r"no host name found for IP address ([0-9A-Fa-f.:]{2,39})")
_COMMAND = re.compile(r"cwd=(\S{1,1024}) [0-9]{1,4} args: (.*)", re.DOTALL)
_TROUBLES = ("error", "timeout", "unexpected", "dropped", "lost", "refused", "too many", "failed", "rejected")
_NOTES = ("Start queue run", "End queue run", "exim ", "pid ", "Message is frozen", "Unfrozen", "SIGHUP", "Warning: ")
_NETWORK: Event = {
    "ogrewatch_service": "exim",
    "event_category": ["network"],
    "event_type": ["connection", "info"],
    "event_action": "smtp_message",
}
_CONNECTED: Event = {**_NETWORK, "event_type": ["connection", "start"], "event_action": "smtp_connect"}
_DISCONNECTED: Event = {**_NETWORK, "event_type": ["connection", "end"], "event_action": "smtp_disconnect"}
_NOTE: Event = {
    "ogrewatch_service": "exim",
    "event_category": ["process"],
    "event_type": ["info"],
    "event_action": "server_message",
}


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one line; False for what Exim does not write."""
    return timed(_parse, message, event, state) or _parse(message, event, state)


def sniff(text: str) -> bool:
    """Whether a line without a header begins as Exim's log does."""
    return text[:2] == "20" and _SNIFF.match(text) is not None


def _parse(message: str, event: Event, state: StateStore) -> bool:
    start = _START.match(message)
    text = message[start.end() :] if start else message
    pid, identity = start.groups() if start else (None, None)
    if not ((identity and mail.parse(text, identity, event, state)) or _session(text, event) or _other(text, event)):
        if not identity:
            return False
        event.update(MAIL)
        extra(event)["event.reason"] = text
    if pid:
        event.setdefault("process_pid", int(pid))
    if identity:
        extra(event)["exim.message_id"] = identity
    return True


def _session(text: str, event: Event) -> bool:
    """Parse what is about a client that is connected."""
    if found := _FAILED.fullmatch(text):
        event.update(LOGIN, event_outcome="failure", ogrewatch_attempt=1)
        set_peer(found, event)
        extra(event)["exim.authenticator"] = found["method"]
        put(event, "user_name", found["user"] or "")
        put(extra(event), "event.reason", found["reason"])
    elif found := _REJECTED.fullmatch(text):
        _rejected(found, event)
    elif found := _PEER.fullmatch(text):
        _peer(found, event)
    else:
        return False
    return True


def _rejected(found: re.Match[str], event: Event) -> None:
    """`H=(x) [192.0.2.1] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted`."""
    event.update(MAIL, event_action="mail_refused", event_outcome="failure")
    fields = extra(event)
    reason = found["reason"].lstrip(" ")
    if found["ip"]:
        set_peer(found, event)
    elif peer := _REST.match(reason):  # `rejected EHLO from [192.0.2.1]: ...`
        set_peer(peer, event)
        reason = reason[peer.end() :]
    fields["exim.stage"] = found["stage"]
    if found["details"] and (sender := _SENDER.search(found["details"])):
        fields["email.from.address"] = [sender[1]]
    if recipient := _FROM.fullmatch(reason):
        fields["email.to.address" if found["stage"] == "RCPT" else "email.from.address"] = [recipient[1]]
        reason = recipient[2]
    put(fields, "event.reason", reason.strip(" :"))


def _peer(found: re.Match[str], event: Event) -> None:
    what, reason = found["what"], found["reason"].strip(" :")
    if what.startswith("SMTP connection"):
        event.update(_CONNECTED if "connection count" in reason else _DISCONNECTED)
    else:
        event.update(_NETWORK)
    if any(word in what or word in reason for word in _TROUBLES):
        event["event_outcome"] = "failure"
    set_peer(found, event)
    extra(event)["event.reason"] = f"{what}: {reason}" if reason else what


def _other(text: str, event: Event) -> bool:
    if (found := _NO_NAME.fullmatch(text)) and is_ip(found[1]):
        event.update(_NETWORK, source_ip=found[1])
    elif found := _COMMAND.fullmatch(text):
        event.update(_NOTE, event_type=["start"], event_action="process_started")
        event["process_command_line"] = found[2]
        extra(event)["process.working_directory"] = found[1]
    elif text.startswith(_NOTES):
        event.update(_NOTE)
    else:
        return False
    extra(event)["event.reason"] = text
    return True


STREAM = Stream(name="exim", programs=("exim", "exim4", "exim_mainlog", "exim-mainlog"), parse=parse, sniff=sniff)
