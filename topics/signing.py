"""Signs requests and answers between our own processes, which share a key: who lacks it learns and forges nothing.

The key does not travel. A request bears `Authorization: Ogrewatch <time>.<nonce>.<signature>`: HMAC-SHA-256 (RFC 2104)
over time (epoch seconds), nonce, method, authority and target, so that it is good for one server and, within the time
that clocks may differ, for one use. The answer is signed with the request's nonce. Neither is encrypted.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from topics.errors import OgrewatchError

REQUEST, ANSWER = "Authorization", "Ogrewatch-Signature"
"""The headers."""
APART = 30
"""Seconds that the clocks of two machines may differ."""
_MOST = 100_000  # nonces that are remembered
_SHAPE = re.compile(r"Ogrewatch ([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


class Unsigned(OgrewatchError):
    """A request is not from one of ours, or not good any more. The text says why, and nothing that would help."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request: its header's value, and the nonce that the answer must be signed with."""

    header: str
    nonce: str


class Signer:
    """Signs with a key, and checks what was signed with it."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def request(self, method: str, authority: str, target: str) -> Signed:
        """Sign a request: `authority` as in `Host`, `target` as in the request's first line."""
        now, nonce = str(int(self._clock())), secrets.token_hex(16)
        return Signed(f"Ogrewatch {now}.{nonce}.{self._sign(now, nonce, method, authority, target)}", nonce)

    def check(self, header: str, method: str, authority: str, target: str) -> str:
        """The nonce of a request that one of ours signed, just now and for us. Raises `Unsigned`."""
        found = _SHAPE.fullmatch(header)
        if found is None:
            raise Unsigned("this worker answers only those that share its OGREWATCH_SECRET")
        stamp, nonce, signature = found.groups()
        if not hmac.compare_digest(signature, self._sign(stamp, nonce, method, authority, target)):
            raise Unsigned("this worker's OGREWATCH_SECRET is another")
        if abs(apart := self._clock() - int(stamp)) > APART:
            raise Unsigned(f"the clocks of the two machines are {abs(apart):.0f} s apart")
        self._remember(nonce)
        return nonce

    def answer(self, nonce: str, status: int, body: bytes) -> str:
        """The signature of an answer."""
        return self._sign("answer", nonce, str(status), hashlib.sha256(body).hexdigest())

    def is_answer(self, signature: str, nonce: str, status: int, body: bytes) -> bool:
        """Whether one of ours signed this answer to the request of this nonce."""
        return hmac.compare_digest(signature.encode(), self.answer(nonce, status, body).encode())

    def _remember(self, nonce: str) -> None:
        now = self._clock()
        while self._seen and next(iter(self._seen.values())) < now:
            self._seen.popitem(last=False)
        if nonce in self._seen or len(self._seen) >= _MOST:
            raise Unsigned("this request was made before")
        self._seen[nonce] = now + 2 * APART

    def _sign(self, *parts: str) -> str:
        """Over parts that cannot run into each other."""
        content = "".join(f"{len(part)}:{part}," for part in parts)
        return hmac.new(self._key, content.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
