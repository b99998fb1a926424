"""Splits the text of a record into fields, and decodes their values: quotes, hexadecimal, socket addresses.

A value that holds a quote, a blank, a control character or a byte beyond ASCII is written in hexadecimal, all others of
its kind in quotes: so nobody who chooses a name ends the field it stands in.
https://github.com/linux-audit/audit-documentation/wiki/SPEC-Audit-Log-Format-Enhancement
"""

import re
from itertools import islice
from socket import AF_INET, AF_INET6, inet_ntop
from typing import NamedTuple

_PAIR = re.compile(r"""(?:^|(?<=[\s(,\x1d{']))([A-Za-z][\w-]{0,63}(?:\[[0-9]{1,5}\])?)=("[^"]*"|[^\s\x1d]*)""")
_QUOTED = re.compile(r" msg='(.*)'", re.DOTALL)
_OPERATION = re.compile(r"(?:op=)?([^=\"]{1,100}?)[ :]{0,3} (?=[\w-]{1,64}=)")
_AVC = re.compile(r"avc: {1,4}(denied|granted) {1,4}\{ ?([^{}]{0,512}?) ?\}")
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_NEEDS_CODING = re.compile(rb"[^!#-~]")
_ABSENT = frozenset(("?", '"?"', "(null)", "(none)", "", '""', "unset", '"unset"', "?,", "n/a"))
_ESCAPED_SEPARATOR = "#035"
_SEPARATOR = "\x1d"
_ADDED = re.compile(r"(?<=[^\s=])(?=(?:ARCH|SADDR|ID|OUID|(?:OLD-|S)?AUID|UID)=)")
"""Where a name that was added begins, when the separator before it was lost on the way."""
_MOST_GLUED = 8
_UNSET_IDS = frozenset(("4294967295", "-1"))
_IDS = ("auid", "uid", "ses", "old-auid", "old-ses", "id", "sauid", "euid", "gid")
_FAMILIES = {"01": "unix", "02": "inet", "0A": "inet6", "10": "netlink", "11": "packet", "1F": "bluetooth"}

Fields = dict[str, str]


def fields_of(text: str) -> Fields:
    """The fields of a record, as written, those that say "nothing" left out.

    A trusted program's words (`msg='...'`) do not replace what the kernel says of it.
    """
    if _ESCAPED_SEPARATOR in text:
        text = _unescape(text)
    elif _SEPARATOR not in text and ('ID="' in text or "ARCH=" in text or "SADDR=" in text):
        text = _part(text)
    quoted = _QUOTED.search(text) if " msg='" in text else None
    if quoted is None:
        fields = _pairs(text)
    else:
        fields = {**_said(quoted[1]), **_pairs(f"{text[: quoted.start()]} {text[quoted.end() :]}")}
    if "avc:" in text and (found := _AVC.search(text)):
        fields["seresult"], fields["seperms"] = found.groups()
    for key in _IDS:
        if fields.get(key) in _UNSET_IDS:
            del fields[key]
    return fields


def _unescape(text: str) -> str:
    """Undo the octal code in which a syslog daemon may have written the separator of added names."""
    before, _, added = text.rpartition(_ESCAPED_SEPARATOR)
    return f"{before}\x1d{added}" if before.count('"') % 2 == 0 else text


def _part(text: str) -> str:
    """Restore a separator that copying lost: `res=1AUID="alice"`. Names within quotes are left alone."""
    for found in islice(_ADDED.finditer(text), _MOST_GLUED):
        if text.count('"', 0, found.start()) % 2 == 0:
            return f"{text[: found.start()]}{_SEPARATOR}{text[found.start() :]}"
    return text


def _pairs(text: str) -> Fields:
    if ", " in text:
        return {key: value.rstrip(",") for key, value in _PAIR.findall(text) if value not in _ABSENT}
    return {key: value for key, value in _PAIR.findall(text) if value not in _ABSENT}


def _said(text: str) -> Fields:
    """The fields of a program's words. Its operation may be of several words; audit 1 put some in parentheses."""
    fields = {key: value.rstrip("),") for key, value in _pairs(text).items()}
    operation = _OPERATION.match(text)
    if operation is not None and not text.startswith("avc:"):
        fields["op"] = operation[1]
    return {key: value for key, value in fields.items() if value not in _ABSENT}


def text_of(value: str) -> str:
    """What a quoted or encoded value means; NULs, which part the words of a title, become blanks."""
    if value.startswith('"'):
        return value[1:-1] if value.endswith('"') and len(value) > 1 else value[1:]
    if len(value) % 2 == 0 and _HEX.fullmatch(value):
        raw = bytes.fromhex(value)
        if _NEEDS_CODING.search(raw):
            return raw.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    return value


def piece_of(value: str) -> str:
    """What a piece of a long argument means: it is encoded when the whole had to be."""
    if value.startswith('"') or len(value) % 2 or not _HEX.fullmatch(value):
        return text_of(value)
    return bytes.fromhex(value).decode("utf-8", "backslashreplace")


class Socket(NamedTuple):
    """A socket address: its family, and of the rest what that family has."""

    family: str
    address: str = ""
    port: str = ""
    path: str = ""


def socket_of(saddr: str) -> Socket | None:
    """The meaning of the hexadecimal `saddr=`, a `struct sockaddr` of a little-endian machine."""
    if len(saddr) < 4 or not _HEX.fullmatch(saddr):
        return None
    family = _FAMILIES.get(saddr[:2], "")
    raw = bytes.fromhex(saddr)
    if family == "inet" and len(raw) >= 8:
        return Socket(family, inet_ntop(AF_INET, raw[4:8]), str(int.from_bytes(raw[2:4], "big")))
    if family == "inet6" and len(raw) >= 24:
        return Socket(family, inet_ntop(AF_INET6, raw[8:24]), str(int.from_bytes(raw[2:4], "big")))
    if family == "unix":
        return Socket(family, path=_path(raw[2:]))
    return Socket(family) if family else None


def _path(raw: bytes) -> str:
    """A path, or the name of an abstract socket, which begins with a NUL and is shown with an @."""
    text = raw.lstrip(b"\0").partition(b"\0")[0].decode("utf-8", "backslashreplace")
    return "@" + text if raw.startswith(b"\0") and text else text
