"""Formats lines as a syslog relay forwards them, in the header format of each host.

RFC 3164, RFC 5424 (as rsyslog and as syslog-ng write it) and rsyslog's RSYSLOG_FileFormat and RSYSLOG_ForwardFormat:
https://www.rfc-editor.org/rfc/rfc3164, https://www.rfc-editor.org/rfc/rfc5424,
https://www.rsyslog.com/doc/configuration/templates.html
"""

from datetime import datetime

from stack.demo.scene import Host, Line

# Not strftime("%b"), which depends on the locale.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def render(host: Host, line: Line) -> bytes:
    """The line with its header. Call it one time per line, in order, since syslog-ng numbers its lines."""
    return _FORMATS[host.dialect](host, line, host.time(line.at)).encode()


def _rfc3164(host: Host, line: Line, time: datetime) -> str:
    stamp = f"{MONTHS[time.month - 1]} {time.day:2d} {time.hour:02d}:{time.minute:02d}:{time.second:02d}"
    return f"<{line.priority}>{stamp} {host.name} {_tag(line)}: {line.text}"


def _rfc5424(host: Host, line: Line, time: datetime) -> str:
    pid = "-" if line.pid is None else line.pid
    stamp = time.isoformat(timespec="microseconds")
    return f"<{line.priority}>1 {stamp} {host.name} {line.program} {pid} - - {line.text}"


def _syslog_ng(host: Host, line: Line, time: datetime) -> str:
    host.relayed += 1
    pid = "-" if line.pid is None else line.pid
    stamp = time.isoformat(timespec="milliseconds")
    meta = f'[meta sequenceId="{host.relayed}"]'
    return f"<{line.priority}>1 {stamp} {host.name} {line.program} {pid} - {meta} {line.text}"


def _iso_file(host: Host, line: Line, time: datetime) -> str:
    return f"{time.isoformat(timespec='microseconds')} {host.name} {_tag(line)}: {line.text}"


def _iso_forward(host: Host, line: Line, time: datetime) -> str:
    return f"<{line.priority}>{_iso_file(host, line, time)}"


def _tag(line: Line) -> str:
    return line.program if line.pid is None else f"{line.program}[{line.pid}]"


_FORMATS = {
    "rfc3164": _rfc3164,
    "rfc5424": _rfc5424,
    "syslog-ng": _syslog_ng,
    "iso-file": _iso_file,
    "iso-forward": _iso_forward,
}
