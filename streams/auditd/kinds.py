"""Sets the columns of records with fields of their own: calls, arguments, titles, paths, sockets, commands, packets."""

import re
from collections.abc import Callable
from posixpath import normpath

from streams.auditd.event import AuditEvent
from streams.auditd.syscalls import name_of
from streams.auditd.values import Fields, Socket, piece_of, socket_of, text_of
from streams.common.text import extra, is_ip, port_number, put, set_endpoint
from topics.event import Event

_ARGUMENT = re.compile(r"a([0-9]{1,5})(?:\[[0-9]{1,5}\])?")
_MACHINES = {"c000003e": "x86_64", "c00000b7": "aarch64", "40000003": "i386", "40000028": "arm", "80000016": "s390x"}
_STARTS = frozenset(("execve", "execveat", "fork", "vfork", "clone", "clone3"))
_ENDS = frozenset(("exit", "exit_group"))
_INCOMING = frozenset(("accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "getpeername"))
_OWN = frozenset(("bind", "getsockname"))
_PATH_TYPES = {"CREATE": "creation", "DELETE": "deletion"}
_MACHINE_TYPES = {"start": "start", "stop": "end"}
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp", "132": "sctp"}
_LONGEST = 16384

_Handler = Callable[[Fields, Event, AuditEvent], None]


def special(name: str, fields: Fields, event: Event, known: AuditEvent) -> None:
    """Set what only this kind of record has, and remove those fields."""
    handler = _HANDLERS.get(name)
    if handler is not None:
        handler(fields, event, known)


def _call(fields: Fields, event: Event, known: AuditEvent) -> None:
    arch = fields.pop("arch", "")
    call = fields.pop("SYSCALL", "").strip('"') or name_of(arch, fields.get("syscall", ""))
    if not call and not fields.get("syscall", "0").isdigit():
        call = fields["syscall"]
    kept = extra(event)
    if arch:
        kept["host.architecture"] = fields.pop("ARCH", "").strip('"') or _MACHINES.get(arch, arch)
    if call:
        kept["auditd.syscall_name"] = call


def _syscall(fields: Fields, event: Event, known: AuditEvent) -> None:
    _call(fields, event, known)
    call = extra(event).get("auditd.syscall_name")
    if call in _STARTS or call in _ENDS:
        event["event_type"] = ["start"] if call in _STARTS else ["end"]


def _arguments(fields: Fields, event: Event, known: AuditEvent) -> None:
    """`argc=3 a0="ls" a1=2D6C ...`; long ones come in pieces, `a1_len=9000 a1[0]=...`, in several records."""
    parts: dict[int, str] = {}
    for key in [key for key in fields if key[0] == "a" and key[1:2].isdigit()]:
        value = fields.pop(key)
        if found := _ARGUMENT.fullmatch(key):
            at = int(found[1])
            parts[at] = parts.get(at, "") + piece_of(value) if "[" in key else text_of(value)
    arguments = [parts[at] for at in sorted(parts)]
    if arguments:
        kept = extra(event)
        kept["process.args"] = arguments
        put(event, "process_command_line", " ".join(arguments)[:_LONGEST])
        if (count := fields.pop("argc", "")).isdecimal():
            kept["process.args_count"] = int(count[:9])


def _title(fields: Fields, event: Event, known: AuditEvent) -> None:
    if title := text_of(fields.pop("proctitle", "")):
        event["process_command_line"] = title
    known.ends()


def _directory(fields: Fields, event: Event, known: AuditEvent) -> None:
    if "process_working_directory" in event:
        known.enters(event["process_working_directory"])


def _path(fields: Fields, event: Event, known: AuditEvent) -> None:
    kept = extra(event)
    event["event_type"] = [_PATH_TYPES.get(fields.get("nametype", ""), "info")]
    if path := text_of(fields.pop("name", "")):
        if (directory := known.directory) and not path.startswith("/"):
            path = normpath(f"{directory}/{path}")
        kept["file.path"] = path
    for key, name in _PATH_FIELDS:
        if value := fields.pop(key, ""):
            kept[name] = value.strip('"')


_PATH_FIELDS = (
    *(("inode", "file.inode"), ("mode", "file.mode"), ("ouid", "file.uid"), ("ogid", "file.gid")),
    *(("OUID", "file.owner"), ("OGID", "file.group")),
)


def _socket(fields: Fields, event: Event, known: AuditEvent) -> None:
    """Set the address of a call: the destination, or the source when the call receives."""
    found = socket_of(fields.get("saddr", "")) or _read(fields)
    for key in ("SADDR", "saddr_fam", "fam", "laddr", "lport", "path"):
        fields.pop(key, None)
    kept = extra(event)
    kept["auditd.family"] = found.family
    if found.path:
        kept["file.path"] = found.path
    call = known.call
    if not is_ip(found.address):
        return
    event["network_type"] = "ipv6" if ":" in found.address else "ipv4"
    if call in _OWN:
        kept["server.ip"], kept["server.port"] = found.address, port_number(found.port) or 0
        return
    side = "source" if call in _INCOMING else "destination"
    set_endpoint(event, side, found.address, found.port)
    event["network_direction"] = "ingress" if side == "source" else "egress"


def _read(fields: Fields) -> Socket:
    """The address as the daemon read it: `SADDR={ saddr_fam=inet laddr=192.0.2.1 lport=22 }`."""
    family = fields.get("saddr_fam") or fields.get("fam") or "unknown"
    return Socket(family, fields.get("laddr", ""), fields.get("lport", ""), text_of(fields.get("path", "")))


def _command(fields: Fields, event: Event, known: AuditEvent) -> None:
    put(event, "process_command_line", text_of(fields.pop("cmd", "")))


def _packet(fields: Fields, event: Event, known: AuditEvent) -> None:
    set_endpoint(event, "source", fields.pop("saddr", ""), fields.pop("sport", ""))
    set_endpoint(event, "destination", fields.pop("daddr", ""), fields.pop("dport", ""))
    put(event, "network_transport", _PROTOCOLS.get(fields.get("proto", ""), ""))


def _machine(fields: Fields, event: Event, known: AuditEvent) -> None:
    """A virtual machine or a container that is started or stopped."""
    event["event_type"] = [_MACHINE_TYPES.get(fields.get("op", ""), "info")]


def _last(fields: Fields, event: Event, known: AuditEvent) -> None:
    known.ends()


_HANDLERS: dict[str, _Handler] = {
    "SYSCALL": _syscall,
    "SECCOMP": _call,
    "EXECVE": _arguments,
    "PROCTITLE": _title,
    "CWD": _directory,
    "PATH": _path,
    "SOCKADDR": _socket,
    "USER_CMD": _command,
    "NETFILTER_PKT": _packet,
    "VIRT_CONTROL": _machine,
    "EOE": _last,
}
