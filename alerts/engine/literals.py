"""Says which bytes must stand in an encoded event for a test, or a rule, to be true.

An encoded event holds texts as UTF-8: those of columns as they are, those of `extra` as JSON, where quotes, backslashes
and control characters are escaped. So of a text that is looked for, a run of printable ASCII without quotes and
backslashes stands in the event's bytes as it is, apart from upper and lower case. Numbers in columns are binary and
have no such run. https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
"""

import re
from collections.abc import Callable
from functools import partial

from alerts.rules.condition import And, FieldTest, Node, Not, Or
from topics.fields import FIELDS

SHORTEST = 3
"""Bytes of a literal worth looking for; shorter ones are everywhere."""

_RUN = re.compile(r"[ !#-\[\]-~]+")
_TEXTUAL = {field.ecs: field.kind in ("string", "strings") for field in FIELDS.values()}

ORDINARY = (
    8 * b"event info start end access success failure unknown authentication session process network "
    + b"""
authentication session network process web iam configuration file start end info change access connection event
success failure unknown <38>oct 10 10:00:00 web1 sshd[7]: failed password for invalid user admin from port 50 ssh2
accepted publickey for deploy sha256: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser=
rhost= user=root session opened for user root sudo: bob : tty=pts/0 ; pwd=/home/bob ; user=root ; command=/usr/bin/
/bin/ /usr/sbin/ cron[9]: (root) cmd ( /etc/cron.hourly) slapd[4]: conn=1 op=2 bind dn="uid=,ou=people,dc=example"
result tag=97 err=49 text= syslog auditd type=syscall msg=audit( exe="/usr/bin/ key=(null) systemd[1]: started
nginx.access get post http/1.1 200 mozilla/5.0 index.html https:// www. .com .net .example /var/ /var/log/ /etc/ /home/
kernel: in=eth0 out= src= dst= proto=tcp spt= dpt= zeek suricata.eve aws.cloudtrail amazonaws.com "eventname"
"""
)
"""Words that most logs are made of: a literal that stands here is a bad one to look for first."""

Literals = frozenset[bytes]
"""Literals in small letters, one of which stands in every event that is meant."""


def literal_of(test: FieldTest) -> bytes | None:
    """The longest literal that stands in every event that meets a test; None when there is none worth looking for."""
    if not _TEXTUAL.get(test.field, True):
        return None
    if test.operator in ("equals", "contains", "begins", "ends"):
        texts = [test.value]
    elif test.operator == "like":
        texts = [part for part in test.value if isinstance(part, str)]
    else:
        return None
    longest = max((run for text in texts for run in _RUN.findall(text)), key=len, default="")
    return longest.lower().encode() if len(longest) >= SHORTEST else None


def witness(node: Node, sample: bytes = ORDINARY) -> Literals | None:
    """Literals one of which stands in every event that a condition holds for; None when there are none.

    Of several such sets the one is taken that is seen least in `sample`, bytes of ordinary events in small letters.
    """
    if isinstance(node, FieldTest):
        literal = literal_of(node)
        return None if literal is None else frozenset({literal})
    if isinstance(node, Not):
        return None
    found = [witness(part, sample) for part in node.parts]
    if isinstance(node, And):
        known = [one for one in found if one is not None]
        return min(known, key=lambda one: _cost(one, sample)) if known else None
    return None if None in found else frozenset().union(*[one for one in found if one is not None])


def _cost(literals: Literals, sample: bytes) -> tuple[int, int, int]:
    seen = sum(sample.count(literal) for literal in literals)
    return seen, -min(12, *map(len, literals)), len(literals)


Sieve = Callable[[bytes], bool]
"""False for an encoded event in small letters only if a condition cannot hold for it."""


def sieve(node: Node) -> Sieve | None:
    """Whether a condition may hold, by all of its literals; None when it has none that could rule an event out."""
    if isinstance(node, FieldTest):
        literal = literal_of(node)
        return None if literal is None else partial(_stands, literal)
    if isinstance(node, Not):
        return None
    parts = [sieve(part) for part in node.parts]
    known = tuple(part for part in parts if part is not None)
    if isinstance(node, And):
        return (lambda value: all(part(value) for part in known)) if known else None
    assert isinstance(node, Or)
    return None if None in parts else lambda value: any(part(value) for part in known)


def _stands(literal: bytes, value: bytes) -> bool:
    return literal in value
