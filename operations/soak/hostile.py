"""Makes lines that strangers could send to stop a role, to forge a field, or to be expensive.

Of each kind `KINDS` has one function: a generator of lines that looks at nothing but its random numbers and the time.
No line claims a time other than the present one, because attempts of another day are counted as late, in no minute. No
line may give an event the address `FORGED`, which only texts have that a stranger types. Records that are too large are
apart, in `too_large`: they become dead letters.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson

from streams import samples
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.registry import discover
from topics.catalogue import MAX_RECORD

FORGED = "198.51.100.66"
"""The address that strangers put into what they type; lines of the corpus that hold it are left out."""
_NEAR = 1_200_000_000  # microseconds by which an event's time may differ from the present one
_PUMPED = 100_000  # bytes of a line that is made long
_TOKEN = re.compile(rb"[A-Za-z]+|[0-9]+|\s+|.", re.DOTALL)
_SIGNS = (b'"', b"'", b"\\", b"[", b"(", b"{", b"=", b",", b": ", b" ", b"\0", b"\xff", b"a ", b'\\"', b"0.", b"</")
_HOSTS = 24  # hosts that hostile lines name
_SIZES = (MAX_RECORD + 1, 12 << 20, 40 << 20)
"""Bytes of records that are too large; a batch is decompressed up to 32 MiB."""

_TYPED = (  # program and message; what a stranger typed names FORGED
    ("sshd", "Failed password for invalid user x from {0} port 66 ssh2 from 192.0.2.5 port 5022 ssh2"),
    ("sshd", "Invalid user x from {0} port 66 from 192.0.2.5 port 5022"),
    (
        "login",
        "pam_unix(login:auth): authentication failure; logname= uid=0 euid=0 tty=tty1 ruser= rhost=192.0.2.5"
        "  user=x rhost={0}",
    ),
    (
        "sshd",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser=x rhost={0} "
        "rhost=192.0.2.5  user=root",
    ),
    (
        "nginx",
        '{1:%Y/%m/%d %H:%M:%S} [error] 7#7: *1 user "x, client: {0}, server: y" was not found in "/etc/users", '
        'client: 192.0.2.5, server: www.example.com, request: "GET /, client: {0} HTTP/1.1", host: "www.example.com"',
    ),
    ("vsftpd", '[pid 7] [x] FAIL LOGIN: Client "{0}"] FAIL LOGIN: Client "192.0.2.5"'),
    (
        "dovecot",
        "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<x>, rip={0}, lip=x>, method=PLAIN, "
        "rip=192.0.2.5, lip=192.0.2.1, TLS",
    ),
    (
        "postfix/smtpd",
        "warning: unknown[192.0.2.5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=x[{0}]",
    ),
    ("sudo", "x : 1 incorrect password attempt ; TTY=tty1 ; PWD=/ ; USER=root ; COMMAND=/bin/x rhost={0}"),
    ("slapd", 'conn=66 op=0 BIND dn="cn=x,IP={0}:66 (IP=192.0.2.1:389)" method=128'),
    ("named", "client @0x7f 192.0.2.5#5022 (client.{0}): query: client.{0} IN A + (192.0.2.1)"),
)
_LDAP = (
    "conn={0} fd=12 ACCEPT from IP=192.0.2.{1}:5022 (IP=192.0.2.1:389)",
    'conn={0} op=0 BIND dn="uid=alice,ou=people,dc=example,dc=org" method=128',
    "conn={0} op=0 RESULT tag=97 err=49 text=",
    'conn={0} op=1 BIND dn="uid=bob,ou=people,dc=example,dc=org" method=128',
    "conn={0} op=1 RESULT tag=97 err=0 text=",
    "conn={0} op=2 UNBIND",
    "conn={0} fd=12 closed",
)
_SSHD = (
    "Connection from 192.0.2.{1} port 5022 on 192.0.2.1 port 22",
    "Failed password for alice from 192.0.2.{1} port 5022 ssh2",
    "error: maximum authentication attempts exceeded for alice from 192.0.2.{1} port 5022 ssh2 [preauth]",
    "Disconnecting: Too many authentication failures [preauth]",
    "Connection closed by authenticating user alice 192.0.2.{1} port 5022 [preauth]",
    "Accepted password for bob from 192.0.2.{1} port 5022 ssh2",
)


def typed(random: Random) -> Iterator[bytes]:
    """Lines in which somebody typed the syntax of an address that is not his."""
    while True:
        program, message = random.choice(_TYPED)
        yield _line(random, program, message.format(FORGED, datetime.now(UTC)))


def damaged(random: Random) -> Iterator[bytes]:
    """Messages of all streams with pieces cut out, doubled, and put in."""
    messages = _messages()
    while True:
        program, message = random.choice(messages)
        parts = _TOKEN.findall(message)
        for _ in range(random.randint(1, 3)):
            at = random.randrange(len(parts) + 1)
            end = min(len(parts), at + random.randint(0, 12))
            put = [parts[at:end] * 2, [], [random.choice(_SIGNS)] * 2, [b"%d" % random.choice((0, -1, 2**63, 10**40))]]
            parts[at:end] = random.choice(put)
        yield _line(random, program, b"".join(parts))


def pumped(random: Random) -> Iterator[bytes]:
    """Messages of all streams in which something is repeated until they have `_PUMPED` bytes."""
    messages = _messages()
    while True:
        program, message = random.choice(messages)
        parts = _TOKEN.findall(message)
        at = random.randint(1, len(parts))
        piece = random.choice((b"".join(parts[max(0, at - random.randint(1, 16)) : at]), random.choice(_SIGNS)))
        parts[at:at] = [piece * (_PUMPED // len(piece) + 1)]
        yield _line(random, program, b"".join(parts))


def members(random: Random) -> Iterator[bytes]:
    """JSON objects with member names that are long, many, empty, nested, or the product's own, of any type."""
    while True:
        now = datetime.now(UTC).isoformat()
        made = random.choice(_objects(random))
        yield orjson.dumps({"@timestamp": now, "timestamp": now, "hostname": _host(random), **made})


def _objects(random: Random) -> list[dict[str, Any]]:
    return [
        {"x" * random.choice((32_766, 32_767, 66_000)): 1, "a" * 400 + ".b." + "c" * 400: {"d" * 500: 2}},
        {random.randbytes(6).hex(): number for number in range(500)},
        {"": 1, ".": 2, "a..b": 3, " ": {"": {"": 4}}, "_id": "x", "_source": 5, "\0": 6},
        {"event": {"created": "banana", "outcome": ["success"]}, "ogrewatch": {"attempt": 99}, "host": 7},
        {"source": "x", "source.ip": {"x": FORGED}, "user": [{"name": {"first": []}}], "message": None},
        orjson.loads(b'{"a":' * 90 + b"1" + b"}" * 90),
    ]


def joined(random: Random) -> Iterator[bytes]:
    """Lines of connections out of order, once more, and of several connections with one name."""
    while True:
        program, texts = random.choice((("slapd", _LDAP), ("sshd", _SSHD)))
        host, number, many = f"joined{random.randrange(8)}", random.randrange(40), random.randint(3, len(texts) + 3)
        for text in random.sample((*texts, *texts), many) if random.random() < 0.7 else texts:
            message = text.format(number, random.randrange(1, 250))
            yield _line(random, f"{program}[{number}]", message, host)


Kind = Callable[[Random], Iterator[bytes]]
KINDS: tuple[Kind, ...] = (typed, damaged, pumped, members, joined)
_SHARES = (6, 6, 1, 2, 6)
"""How many of 21 lines are of each kind."""


def lines(seed: int) -> Iterator[bytes]:
    """Make endless hostile lines of all kinds."""
    random = Random(f"{seed} hostile")
    made = [kind(random) for kind in KINDS]
    while True:
        line = next(random.choices(made, _SHARES)[0])
        if _is_of_now(line):
            yield line


def too_large(random: Random) -> bytes:
    """A record that is larger than any may be, and next to nothing when it is compressed."""
    head = _line(random, "sshd", "Failed password for x from 192.0.2.5 port 5022 ssh2 ")
    return head + b"a" * (random.choice(_SIZES) - len(head))


_PROBE = Dispatcher()


def _is_of_now(line: bytes) -> bool:
    now = time.time_ns() // 1000
    return abs(int(_PROBE.parse(line, now, MemoryState())["timestamp"]) - now) < _NEAR


def _messages() -> list[tuple[str, bytes]]:
    """Programs and messages of the samples of all streams."""
    dispatcher, found = Dispatcher(), []
    programs = {stream.name: stream.programs[0] for stream in discover() if stream.programs}
    for log in samples.logs():
        for line in samples.lines(log):
            event = dispatcher.parse(line, samples.RECEIVED, MemoryState())
            program = str(event.get("process_name") or programs.get(log.parent.parent.name, "app"))
            found.append((program.replace(" ", "_"), str(event.get("message", "")).encode() or line or b"x"))
    return found


def _host(random: Random) -> str:
    return f"hostile{random.randrange(_HOSTS)}"


def _line(random: Random, program: str, message: bytes | str, host: str = "") -> bytes:
    """A line with a header of the present time."""
    now, host = datetime.now(UTC), host or _host(random)
    if random.random() < 0.5:
        head = f"<38>1 {now.isoformat()} {host} {program.partition('[')[0]} 7 - - "
    else:
        head = f"<38>{now:%b} {now.day:2} {now:%H:%M:%S} {host} {program if '[' in program else program + '[7]'}: "
    return head.encode() + (message.encode() if isinstance(message, str) else message)
