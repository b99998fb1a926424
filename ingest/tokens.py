"""Keeps the tokens that senders of logs and readers of the page show, in a file that holds only their hashes.

A token is `ogw_<id>_<secret>`. The secret is 256 random bits, so that one round of SHA-256 is as good as many: there is
nothing to guess. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ingest.base import InvalidSettings

_PREFIX = "ogw_"
_NOBODY = "0" * 64  # compared with when no token has the id, so that the time taken is the same
_SECRET = re.compile("[0-9a-f]{12}_[0-9a-f]{32,}")

SEND, LOOK, ACT = "send", "look", "act"
"""Roles: may write logs; may see the page and the API; may do besides what changes something there."""
ROLES = (SEND, LOOK, ACT)


class TokenError(InvalidSettings):
    """The file of tokens cannot be used; the message is for the person who keeps it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is stored. `topics` are those it may write; `hash` is the SHA-256 of its secret, in hex.

    `role` is one of `ROLES`; files of earlier versions have none, because all their tokens were for sending.
    """

    id: str
    name: str
    topics: tuple[str, ...]
    hash: str
    created: str
    role: str = SEND


class TokenFile:
    """A file of tokens, mode 0600. It is read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tokens: dict[str, Token] = {}
        self._made: set[str] = set()
        self._stamp: tuple[int, int, int] | None = None

    def exists(self) -> bool:
        """Whether there is such a file, empty or not."""
        return self.path.exists()

    def tokens(self) -> list[Token]:
        """All tokens. Raises `TokenError` when the file cannot be read, or others may read it; none without a file."""
        self._reload()
        return list(self._tokens.values())

    def asked(self, *roles: str) -> bool:
        """Whether a token of one of these roles was ever made, including revoked ones: after the last one is revoked,
        access must not become open to everybody. Raises `TokenError` as `tokens`.
        """
        self._reload()
        return not self._made.isdisjoint(roles)

    def create(self, name: str, topics: Iterable[str], role: str = SEND) -> tuple[Token, str]:
        """Make a token; returns it and the text that its holder shows, which is not stored.

        Raises `TokenError` for a name in use.
        """
        known = self.tokens()
        if any(token.name == name for token in known):
            raise TokenError(f"there is a token {name!r} already; revoke it first")
        identity, secret = secrets.token_hex(6), secrets.token_hex(32)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        token = Token(identity, name, tuple(sorted(topics)), _hash(secret), created, role)
        self._write([*known, token])
        return token, f"{_PREFIX}{identity}_{secret}"

    def revoke(self, name: str) -> Token:
        """Remove the token of this name or id. Raises `TokenError` when there is none."""
        known = self.tokens()
        for token in known:
            if name in (token.name, token.id):
                self._write([other for other in known if other is not token])
                return token
        raise TokenError(f"there is no token {name!r}")

    def verify(self, shown: str) -> Token | None:
        """Return the token that a sender showed, None when it is invalid. Takes as long for a wrong secret as for none.

        Raises `TokenError` when the file has become unreadable.
        """
        self._reload()
        identity, _, secret = shown.removeprefix(_PREFIX).partition("_")
        token = self._tokens.get(identity)
        good = hmac.compare_digest(_hash(secret), token.hash if token else _NOBODY)
        return token if good else None

    def find(self, identity: str) -> Token | None:
        """The token of this id. Raises `TokenError` as `tokens`."""
        self._reload()
        return self._tokens.get(identity)

    def _reload(self) -> None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._tokens, self._made, self._stamp = {}, set(), None
            return
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp == self._stamp:
            return
        if _exposed(found):
            raise TokenError(f"{self.path} can be read by others: chmod 600 it")
        (self._tokens, self._made), self._stamp = self._read(), stamp

    def _read(self) -> tuple[dict[str, Token], set[str]]:
        """The tokens by id, and the roles that any were ever made for. Earlier versions wrote a list of tokens."""
        try:
            found: Any = orjson.loads(self.path.read_bytes())
            entries, made = (found, [SEND]) if isinstance(found, list) else (found["tokens"], found["made"])
            kept = [Token(**{**entry, "topics": tuple(entry["topics"])}) for entry in entries]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise TokenError(f"{self.path} holds no tokens: {error}") from None
        return {token.id: token for token in kept}, {*made, *(token.role for token in kept)}

    def _write(self, tokens: list[Token]) -> None:
        """Write a temporary file of mode 0600 beside the old one, then rename it over the old one."""
        self.path.parent.mkdir(0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        with os.fdopen(handle, "wb") as file:
            made = sorted(self._made | {token.role for token in tokens})
            content = {"made": made, "tokens": [asdict(token) for token in tokens]}
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self.path)


def _exposed(found: os.stat_result) -> bool:
    """Whether others may read a file. A group may if the file is somebody else's, as a Secret of Kubernetes is."""
    shared = 0o040 if found.st_uid != os.geteuid() else 0
    return bool(stat.S_IMODE(found.st_mode) & 0o077 & ~shared)


def hidden(text: str) -> str:
    """Return the text without what looks like a token: answers and logs quote requests, whose path may contain one."""
    return _SECRET.sub("...", text)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
