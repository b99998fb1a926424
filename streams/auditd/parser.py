"""Parses audit records: who did what, by which program, and whether it succeeded.

It reads lines of audit.log (`type=SYSCALL msg=audit(1364481363.243:24287): ...`, `node=` before it, names that
`log_format = ENRICHED` adds after a group separator), the same by syslog (audispd, audisp-syslog), the kernel's own
(`audit: type=1400 audit(...): ...`) and the journal's (`USER_AUTH pid=...`); audit 1 to 4. Every record is an event;
those of one audit event are joined (`streams.auditd.event`). No record is an attempt: see `streams/ATTEMPTS.md`.
Sources: kernel/audit*.c, audit-userspace lib/audit_logging.c, auparse/interpret.c.
https://man7.org/linux/man-pages/man8/auditd.8.html
"""

import re

from streams.auditd.daemon import KERNEL_MESSAGES, MESSAGES
from streams.auditd.event import AuditEvent
from streams.auditd.kinds import special
from streams.auditd.people import name_people
from streams.auditd.records import MEANINGS, NAMES, meaning
from streams.auditd.values import Fields, fields_of, text_of
from streams.base import StateStore, Stream
from streams.common.text import extra, is_ip, number, port_number, put, set_endpoint
from topics.event import Event

_HEAD = re.compile(
    r"(?:\[ {0,8}[0-9]{1,10}\.[0-9]{1,6}\] )?(?:audit: )?(?:node=(\S{1,255}) )?"
    r"type=(?:UNKNOWN\[([0-9]{1,5})\]|([A-Z0-9_]{1,64})) (?:msg=)?"
    r"audit\(([0-9]{1,11})(?:\.([0-9]{1,6}))?:([0-9]{1,18})\): ?"
)
_UPTIME = re.compile(r"\A(?:\[ {0,8}[0-9]{1,10}\.[0-9]{1,6}\] )?(?:audit: )?")
_WORD_WITHIN = 300
"""Where the kernel names its auditing, behind what a container or a node may have added."""
_SNIFF = re.compile(r"(?:node=\S{1,255} )?type=(?:[A-Z]|[0-9]{4} (?:msg=)?audit\()")
_TYPE = re.compile(r"(?:node=(\S{1,255}) )?type=([A-Z0-9_]{1,64}) ")
_OUTCOMES = {
    "res": {"success": "success", "1": "success", "yes": "success", "failed": "failure", "0": "failure"},
    "result": {"success": "success", "Success": "success", "failed": "failure", "Failed": "failure"},
    "success": {"yes": "success", "no": "failure"},
    "seresult": {"granted": "success", "denied": "failure"},
    "apparmor": {"ALLOWED": "success", "AUDIT": "success", "DENIED": "failure", "ERROR": "failure"},
}
_ADDRESSES = (
    *(("src", "source"), ("saddr", "source"), ("faddr", "source")),
    *(("dst", "destination"), ("daddr", "destination"), ("laddr", "destination")),
)
_PORTS = (
    *(("src", "source_port"), ("sport", "source_port"), ("rport", "source_port"), ("fport", "source_port")),
    *(("dest", "destination_port"), ("dport", "destination_port"), ("lport", "destination_port")),
)
_PEERS = frozenset(key for key, _ in (*_ADDRESSES, *_PORTS))
_KEPT = {
    **{key: f"auditd.{key}" for key in ("syscall", "success", "exit", "a0", "a1", "a2", "a3", "items", "auid", "gid")},
    **{key: f"auditd.{key}" for key in ("suid", "fsuid", "egid", "sgid", "fsgid", "tty", "ses", "subj", "key")},
}
"""The names that the fields of the commonest record are kept under."""
_TEXTS = frozenset(
    (
        *("comm", "exe", "cmd", "data", "path", "file", "name", "watch", "cwd", "acct", "dir", "vm", "key", "grp"),
        *("ocomm", "new_group", "invalid_context", "sw", "root_dir", "profile", "device", "info", "old-disk"),
        *("new-disk", "old-fs", "new-fs", "unit", "cgroup", "denied_mask", "requested_mask", "operation"),
    )
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one record; False for what is neither a record nor a message about auditing."""
    program = event.get("process_name", "")
    if program == "kernel" and "audit" not in message[:_WORD_WITHIN]:
        return False
    head = _HEAD.match(message)
    if head is not None:
        node, unknown, name, seconds, fraction, serial = head.groups()
        event["timestamp"] = int(seconds) * 1_000_000 + int((fraction or "").ljust(6, "0"))
        _record(name or unknown, message[head.end() :], event, state, (node, f"{seconds}.{fraction or 0}:{serial}"))
        return True
    return _unnumbered(message, event, state, program) or _message(message, event, program)


def _unnumbered(message: str, event: Event, state: StateStore, program: str) -> bool:
    """A record without time and serial number: `type=USER_AUTH pid=...`, or of the journal, `USER_AUTH pid=...`."""
    if (found := _TYPE.match(message)) and found[2] in MEANINGS:
        _record(found[2], message[found.end() :], event, state, (found[1], ""))
        return True
    name, _, rest = message.partition(" ")
    if program != "audit" or name not in MEANINGS or not rest:
        return False
    _record(name, rest, event, state, (None, ""))
    return True


def _message(message: str, event: Event, program: str) -> bool:
    """Parse what the daemon says of itself, or the kernel of its auditing."""
    if program != "kernel":
        return MESSAGES.parse(message.removeprefix("audit: "), event)
    text = _UPTIME.sub("", message, count=1)
    return KERNEL_MESSAGES.parse(text.replace("=", " =", 1) if text.startswith("audit_") else text, event)


def sniff(text: str) -> bool:
    """Whether a line without a header begins as a record does."""
    return text.startswith(("type=", "node=")) and _SNIFF.match(text) is not None


def _record(name: str, text: str, event: Event, state: StateStore, where: tuple[str | None, str]) -> None:
    node, serial = where
    name = NAMES.get(name, name)
    _begin(name, node, serial, event)
    known = AuditEvent(event.get("host_hostname", ""), serial, state)
    fields = fields_of(text)
    if name != "SYSCALL":
        known.describe(event)
    _set_outcome(fields, event)
    _set_process(fields, event)
    name_people(name, fields, event)
    special(name, fields, event, known)
    _set_ends(fields, event)
    _keep(fields, event)
    if name == "SYSCALL":
        known.begins(event)


def _begin(name: str, node: str | None, serial: str, event: Event) -> None:
    """Set what holds for every record, and drop the program that relayed it."""
    event.update(meaning(name))
    if event.get("process_name") in _WRITERS:
        del event["process_name"]
        event.pop("process_pid", None)
    if node:
        event["host_hostname"] = node
    extra(event)["auditd.record_type"] = name
    if serial:
        extra(event)["event.sequence"] = int(serial.rpartition(":")[2])


def _set_outcome(fields: Fields, event: Event) -> None:
    for key, meanings in _OUTCOMES.items():
        if key in fields and (outcome := meanings.get(fields[key].strip('"'))):
            event["event_outcome"] = outcome
            return


def _set_process(fields: Fields, event: Event) -> None:
    """Set the process that the record is about. Without a short name, it is named after its program."""
    if exe := text_of(fields.pop("exe", "")):
        event["process_executable"] = exe
        event["process_name"] = exe.rpartition("/")[2] or exe
    if comm := fields.pop("comm", ""):
        put(event, "process_name", text_of(comm))
    if (pid := number(fields.get("pid", ""))) is not None:
        event["process_pid"] = pid
        del fields["pid"]
    if (parent := number(fields.get("ppid", ""))) is not None:
        extra(event)["process.parent.pid"] = parent
        del fields["ppid"]
    if cwd := fields.pop("cwd", ""):
        put(event, "process_working_directory", text_of(cwd))


def _set_ends(fields: Fields, event: Event) -> None:
    """Set addresses: of the other end (`addr=`), of both (`laddr=`, `rport=`), of a packet (`saddr=`, `daddr=`)."""
    if "addr" in fields or "hostname" in fields:
        _set_source(fields, event)
    if not _PEERS.isdisjoint(fields):
        _set_peers(fields, event)


def _set_source(fields: Fields, event: Event) -> None:
    """Set the other end of a login. A name alone may be the host's own."""
    host, address = fields.get("hostname", "").strip('"'), fields.pop("addr", "").strip('"')
    if address or is_ip(host):
        set_endpoint(event, "source", address or host)
        if fields.pop("hostname", "") and host != address:
            extra(event)["source.domain"] = host


def _set_peers(fields: Fields, event: Event) -> None:
    for key, side in _ADDRESSES:
        if is_ip(fields.get(key, "")):
            set_endpoint(event, side, fields.pop(key))
    for key, column in _PORTS:
        if port := port_number(fields.get(key, "")):
            event[column] = port
            del fields[key]


def _keep(fields: Fields, event: Event) -> None:
    """Keep the other fields under the stream's name; the names that `ENRICHED` adds are written in small letters."""
    kept = extra(event)
    for key, value in fields.items():
        if key in _TEXTS:
            value = text_of(value)
        elif value[:1] == '"':
            value = value.strip('"')
        kept[_KEPT.get(key) or _kept_name(key)] = value


def _kept_name(key: str) -> str:
    return f"auditd.{key.lower()}_name" if key.isupper() else f"auditd.{key}"


_WRITERS = frozenset(("audispd", "audisp-syslog", "audit", "kernel", "tag_audit_log", "auditd"))
"""Programs that pass records on; they did not do what the record tells."""

STREAM = Stream(
    name="auditd",
    programs=(*sorted(_WRITERS), "augenrules", "auditctl"),
    parse=parse,
    sniff=sniff,
)
