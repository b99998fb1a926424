"""Parses what a syslog daemon says about itself: it began, ended, dropped messages, saw the last one again.

It reads `last message repeated 3 times` of sysklogd, the BSDs and macOS, which names no message and so is not counted;
`-- MARK --`; `syslogd 1.5.0: restart.`; rsyslogd 5 to 8 (`[origin software="rsyslogd" ...] start`), syslog-ng 3 and 4,
systemd-journald. It does not read what a device or a container writes about its own logging. Sources: sysklogd
syslogd.c, FreeBSD usr.sbin/syslogd/syslogd.c, rsyslog tools/rsyslogd.c and plugins/imuxsock/imuxsock.c, syslog-ng
lib/mainloop.c.
https://www.rsyslog.com/doc/configuration/modules/imuxsock.html
"""

import re

from streams.base import StateStore, Stream
from streams.common.text import extra, number
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_INFO: Event = {"event_category": ["process"], "event_type": ["info"], "event_action": "syslog_message"}
_STARTED: Event = {**_INFO, "event_type": ["start"], "event_action": "syslog_started"}
_ENDED: Event = {**_INFO, "event_type": ["end"], "event_action": "syslog_ended"}
_TROUBLE: Event = {**_INFO, "event_outcome": "failure"}
_DROPPED: Event = {**_TROUBLE, "event_action": "syslog_messages_dropped"}
_AGAIN: Event = {**_INFO, "event_action": "syslog_message_repeated"}
_PEER: Event = {
    "event_category": ["network"],
    "event_type": ["connection", "info"],
    "event_action": "syslog_connection",
}

_REPEATED = re.compile(r"(?:--- )?last message repeated ([0-9]{1,9}) times?(?: ---)?")
_ORIGIN = re.compile(r" ?\[origin software=\"([^\"]{1,64})\"(?: swVersion=\"([^\"]{1,64})\")?[^\]]{0,512}\] ?")
_OLD = re.compile(r"(?:(syslogd|klogd) )?([0-9][^\s:,]{0,32})[:,] (.*)", re.DOTALL)
_DAEMON = re.compile(r"(?:rsyslogd|syslogd|syslog-ng|klogd|systemd-journald?)(?:-[0-9]{1,6})?")
_BEGINNINGS = (
    *("last message repeated ", "--- last message repeated ", "-- MARK --", "[origin software=", " [origin software="),
    *("syslogd ", "klogd ", "syslog-ng ", "rsyslogd", "imuxsock", "exiting on signal ", "kernel boot file is "),
    *("action '", "omfwd: ", "Syslog connection ", "Log statistics; ", "Configuration reload request received"),
)
_CLIENT = r"client='AF_INET6?\((?P<source_ip>\S+?):(?P<source_port>[0-9]{1,5})\)'"
_DETAIL = r"(?P<detail>.*)"

_MESSAGES = Rules(
    "syslogd",
    {
        "--": (Rule(r"MARK --", _INFO),),
        "start": (Rule(r"", _STARTED),),
        "restart.": (Rule(r"", _STARTED),),
        "restart": (Rule(_DETAIL, _STARTED),),
        "log": (Rule(r"source = \S+ started\.", _STARTED),),
        "exiting": (Rule(r"on signal (?P<signal>[0-9]{1,4})\.?", _ENDED),),
        "rsyslogd": (Rule(r"was HUPed.*", _INFO),),
        **dict.fromkeys(("rsyslogd's", "kernel", "environment"), (Rule(_DETAIL, _INFO),)),
        **dict.fromkeys(("action", "omfwd:", "cannot", "could", "error"), (Rule(_DETAIL, _TROUBLE),)),
        "imuxsock": (
            Rule(
                r"(?:begins to drop|lost (?P<lost>[0-9]{1,10})) messages from pid (?P<from_pid>[0-9]{1,10}) "
                r"due to rate-limiting",
                _DROPPED,
            ),
        ),
        "imuxsock:": (Rule(_DETAIL, _INFO),),
        "Suppressed": (Rule(r"(?P<lost>[0-9]{1,10}) messages from (?P<unit>\S+)", _DROPPED),),
        "Missed": (Rule(r"(?P<lost>[0-9]{1,10}) kernel messages", _DROPPED),),
        **dict.fromkeys(("Runtime", "System", "Permanent", "Time"), (Rule(r"(?:[Jj]ournal|spent on) .*", _INFO),)),
        "Journal": (
            Rule(r"started", _STARTED),
            Rule(r"stopped", _ENDED),
        ),
        "syslog-ng": (
            Rule(r"starting up; version='(?P<version>[^']{1,64})'.*", _STARTED),
            Rule(r"shutting down; version='(?P<version>[^']{1,64})'.*", _ENDED),
        ),
        **dict.fromkeys(("Log", "Configuration"), (Rule(r"(?:statistics;|reload) .*", _INFO),)),
        "Syslog": (
            Rule(rf"connection (?P<detail>accepted|closed); fd='[0-9]{{1,10}}', {_CLIENT}.*", _PEER),
            Rule(r"connection (?P<detail>established|failed|broken);.*", _PEER),
        ),
    },
)


def sniff(text: str) -> bool:
    """Whether a message may be a daemon's own. Their names are not in `programs`: they forward what others wrote."""
    return text.startswith(_BEGINNINGS) or text == "restart"


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False when it is not about the daemon itself."""
    if repeated := _REPEATED.fullmatch(message):
        event.update(_AGAIN)
        extra(event)["ogrewatch.repeated"] = int(repeated[1])
        return True
    tag = event.get("process_name")
    program, version, text = _origin(message)
    if (tag and not _DAEMON.fullmatch(tag)) or not _MESSAGES.parse(text, event):
        return False
    if program:
        event.setdefault("process_name", program)
    fields = event.get("extra") or {}
    if version:
        extra(event)["syslogd.version"] = version
    if (lost := number(fields.get("syslogd.lost") or "")) is not None:
        fields["syslogd.lost"] = lost
    return True


def _origin(message: str) -> tuple[str, str, str]:
    """The program and version that a message names before its text, "" if none."""
    if found := _ORIGIN.match(message):
        return found[1], found[2] or "", message[found.end() :]
    if found := _OLD.fullmatch(message):
        return found[1] or "", found[2], found[3]
    return "", "", message


STREAM = Stream(
    name="syslogd",
    programs=("klogd", "systemd-journald", "systemd-journal"),
    parse=parse,
    sniff=sniff,
)
