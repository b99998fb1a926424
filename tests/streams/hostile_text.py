"""Makes sample lines hostile: replaces the text that a stranger chooses by syntax from the rest of a line.

A line is made hostile where its event has a text that somebody typed (a user, a path, a referrer, a name to look up):
the same text, longer or wholly other, with forged addresses, ports, names, verdicts and times in the shape in which
this line, its stream's other lines, and other programs write theirs. What a daemon escapes is escaped here, too.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from streams import samples
from streams.base import MemoryState
from streams.common.text import is_ip
from streams.dispatch import UNPARSED, Dispatcher
from topics.event import Event

FORGED_IP, FORGED_PORT, FORGED_NAME, FORGED_TIME = "198.51.100.66", 6666, "forgedname", "2031-03-03T03:03:03Z"
TYPED = frozenset(
    {
        *("user_name", "user_effective_name", "user_target_name", "url_original", "url_query", "user_agent_original"),
        *("http_request_referrer", "dns_question_name", "process_command_line", "process_working_directory"),
        *("email.from.address", "email.to.address", "email.subject", "file.path", "url.username"),
        *("tls.client.server_name", "tls.client.subject", "source.user.name", "destination.user.name"),
        *(
            "postfix.helo",
            "sshd.banner",
            "vsftpd.text",
            "vsftpd.anonymous_password",
            "user_agent.original",
        ),
    }
)
"""Where a stranger's text ends up, by column or field."""

_SHORTEST = 3
_HEADER = re.compile(r"(?:<[0-9]+>)?[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} \S+ [^\s:]+: ")
_DISPATCHER = Dispatcher()
_ADDRESS = re.compile(r"(?<![\w.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-f]{1,4}:[0-9a-f:]{2,38}[0-9a-f])(?![\w:])")
_PORT = re.compile(r"(?<=[ :#=(])[0-9]{4,5}(?=[ ,)\]#]|$)")
_KEY = re.compile(r"[ ,;]([A-Za-z_][\w.-]{1,24})[=:]")
_VERDICTS = (
    ("Failed", "Accepted"),
    ("failure", "success"),
    ("FAIL", "OK"),
    ("failed", "succeeded"),
    ("denied", "granted"),
)
_COMMON = (
    f" from {FORGED_IP} port {FORGED_PORT} ssh2",
    f" rhost={FORGED_IP}",
    f" rhost={FORGED_IP}  user={FORGED_NAME}",
    f", client: {FORGED_IP}, server: x",
    f', client: {FORGED_IP}, server: x, request: "GET / HTTP/1.1", host: "x',
    f" user={FORGED_NAME}",
    f'" {FORGED_IP} "',
    f"' {FORGED_IP} '",
    f"] [{FORGED_IP}] [",
    f" [{FORGED_IP}]: ",
    f"({FORGED_IP})",
    f"> <{FORGED_NAME}@{FORGED_IP}> (",
    f": [client {FORGED_IP}:{FORGED_PORT}] ",
    f'", "source_ip": "{FORGED_IP}", "x": "',
    f" {FORGED_IP}",
    f"@{FORGED_IP}",
    f" {FORGED_TIME} ",
    f"\n<38>Mar  3 03:03:03 forgedhost sshd[6]: Accepted password for {FORGED_NAME} from {FORGED_IP} port 6 ssh2",
    '"',
    "'",
    "\\",
    "] [",
    " \t ",
)


NAMES = frozenset(
    {field for field in TYPED if "user" in field and field != "user_agent_original"} - {"user_agent.original"}
)
"""Names of accounts. A stranger types them where nobody is let in; who is let in has the name that an account has."""
EXEMPT = {
    "su|sudo|doas|polkit|shadow|systemd|cron|logind": "local accounts and units: whoever has one cannot name it",
    r"dropbear: *root login rejected": "the name is dropbear's own word",
    r"mysql:.* to database '": "only an account that there is can be refused a database",
    r"pam:.*(?:logname=[^ ]|\(uid=[0-9]+\) -> )": "the name is of a local user, who has logged in",
    r"vsftpd:.* LOGIN: Client .*, \"": "the text is one of vsftpd's own",
    r"exim:.* args: ": "the arguments are Exim's own",
    r"postgresql:(?!.*FATAL)|postgresql:.*FATAL:  database": "who is not refused has the name that a role has",
    r"postgresql:.*,\"": "in CSV a quote is doubled, which the samples of its own test do",
}
"""Lines (`STREAM:MESSAGE`) whose text is no stranger's, and why."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """A line with a stranger's text in it, what it was before, and the field whose text it is."""

    stream: str
    field: str
    before: bytes
    line: bytes
    typed: str


def parsed(line: bytes) -> Event:
    """The event of one line, alone."""
    return _DISPATCHER.parse(line, samples.RECEIVED, MemoryState())


def typed_texts(event: Event) -> Iterator[tuple[str, str]]:
    """The texts of an event that somebody typed."""
    for name, value in (*event.items(), *event.get("extra", {}).items()):
        for text in value if isinstance(value, list) else [value]:
            if name in TYPED and isinstance(text, str) and len(text) >= _SHORTEST and not is_ip(text):
                yield name, text


def forge(text: str) -> str:
    """The same syntax with other values."""
    text = _PORT.sub(str(FORGED_PORT), _ADDRESS.sub(FORGED_IP, text))
    for bad, good in _VERDICTS:
        text = text.replace(bad, good)
    return text


def keys_of(stream: str) -> list[str]:
    """The keys that a stream's samples write before a value, with a forged value each."""
    lines = b"\n".join(line for log in samples.logs([stream]) for line in samples.lines(log)).decode("utf-8", "replace")
    found = sorted(set(_KEY.findall(lines)))[:60]
    return [f' {key}={FORGED_IP} {key}=<{FORGED_NAME}>, {key}: {FORGED_IP}, {key}="{FORGED_IP}" ' for key in found]


def messages_of(stream: str, most: int = 24) -> list[str]:
    """Whole messages of a stream, forged."""
    events = [event for log in samples.logs([stream]) for event in samples.events(log)]
    messages = list(dict.fromkeys(forge(event["message"]) for event in events if not event["message"].startswith("{")))
    return messages[:: max(1, len(messages) // most)]


def payloads(message: str, text: str) -> Iterator[str]:
    """What a line's own syntax makes of its text: its end once more, its beginning, the whole of it."""
    head, _, tail = message.partition(text)
    yield text + forge(tail)
    yield forge(head) + text
    yield FORGED_NAME + forge(tail) + forge(head) + text
    yield text + forge(tail) + " " + forge(head) + FORGED_NAME


def hostile(stream: str) -> Iterator[Hostile]:
    """All hostile lines of a stream's samples."""
    shared = [*_COMMON, *keys_of(stream), *(f" {message} " for message in messages_of(stream))]
    seen = set()
    for log in samples.logs([stream]):
        for line in samples.lines(log):
            event = parsed(line)
            if event["event_dataset"] == UNPARSED:
                continue
            for field, text in typed_texts(event):
                shape = (field, re.sub(r"[0-9]+", "0", event["message"].replace(text, "TEXT")))
                if shape in seen:
                    continue
                seen.add(shape)
                made = [
                    *payloads(event["message"], text),
                    *(text + more for more in shared),
                    *(more + text for more in shared),
                ]
                yield from _replaced(stream, field, line, text, made)


def _replaced(stream: str, field: str, line: bytes, text: str, made: list[str]) -> Iterator[Hostile]:
    source = line.decode("utf-8", "backslashreplace")
    for typed in made:
        changed = replace(stream, source, text, typed)
        if changed is not None:
            yield Hostile(stream, field, line, changed.encode(), typed)


def replace(stream: str, line: str, text: str, typed: str) -> str | None:
    """The line with `typed` for each `text`, as its daemon would write it; None if the text is not there as it is."""
    start = line.find('{"')
    if start >= 0:
        try:
            record = json.loads(line[start:])
        except ValueError:
            return None
        changed = _in_record(record, text, typed)
        return None if changed == record else line[:start] + json.dumps(changed)
    if stream == "auditd":  # in quotes, and in hexadecimal digits when it is more than a word
        return line.replace(f'"{text}"', typed.encode().hex().upper()) if f'"{text}"' in line else None
    escape = _of_nginx if stream == "nginx" and "#" not in line[:60] else ESCAPES.get(stream, _plain)
    pattern = re.compile(rf"(?<![\w.-]){re.escape(text)}(?![\w.\[-])")
    header = len(found[0]) if (found := _HEADER.match(line)) else 0
    body, number = pattern.subn(lambda match: escape(typed), line[header:])
    return line[:header] + body if number else None


def _in_record(value: Any, text: str, typed: str) -> Any:
    if isinstance(value, dict):
        return {key: _in_record(member, text, typed) for key, member in value.items()}
    if isinstance(value, list):
        return [_in_record(member, text, typed) for member in value]
    return typed if value == text else value


def _plain(text: str) -> str:
    return text


def _hexed(prefix: str, letters: str) -> Callable[[str], str]:
    def escape(text: str) -> str:
        return "".join(f"{prefix}{ord(c):02X}" if c in letters or ord(c) < 32 else c for c in text)

    return escape


def _backslashed(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(f"\\x{ord(c):02x}" if ord(c) < 32 else c for c in text)


def _domain(text: str) -> str:
    return re.sub(r"[^\w.*-]", lambda found: f"\\{ord(found[0]):03d}", text)


def _of_nginx(text: str) -> str:
    return _hexed("\\x", '"\\')(text)


def _mailbox(text: str) -> str:
    """A local part that is more than a word stands in quotes."""
    local, _, domain = text.rpartition("@") if "@" in text else (text, "", "example.org")
    plain = re.fullmatch(r"[\w.+=-]+", local) and re.fullmatch(r"[\w.-]+", domain)
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"@example.org'


ESCAPES: dict[str, Callable[[str], str]] = {
    "apache": _backslashed,
    "haproxy": _hexed("#", '"{|}#'),
    "squid": lambda text: quote(text, safe="/:?&=%@<>[](),;'"),
    "bind": _domain,
    "exim": _mailbox,
    "openvpn": lambda text: re.sub(r"[^\w.@/-]", "_", text),
    "unbound": lambda text: re.sub(r"[^\w.*-]", "?", text),
    "dnsmasq": lambda text: re.sub(r"[^ -~]", "", text),
    "dhcpd": lambda text: re.sub(r"[^ -~]", "", text),
    "postfix": lambda text: re.sub(r"[^ -~]", "?", text),
}
"""How daemons write what they are told, by stream; all others write it as it is."""
