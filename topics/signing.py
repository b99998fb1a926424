"""Signs requests and answers between processes of Ogrewatch that share a key, so that nobody else can ask or answer.

The key itself is not sent. A request has `Authorization: Ogrewatch <time>.<nonce>.<signature>`. The signature is
HMAC-SHA-256 (RFC 2104) over time (seconds since 1970), nonce, method, authority and target: it is valid at one server,
and once within the time by which clocks may differ. The answer is signed with the nonce of the request. Nothing is
encrypted.
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
"""The headers of signatures."""
APART = 30
"""Seconds that the clocks of two machines may differ."""
_MOST = 100_000  # nonces that are remembered; more requests in a minute are refused
_SHAPE = re.compile(r"Ogrewatch ([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


class Unsigned(OgrewatchError):
    """A request has no valid signature, or an old or a used one. The text does not help to forge one."""


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
        """Sign a request. `authority` is the value of `Host`, `target` that in the first line of the request."""
        now, nonce = str(int(self._clock())), secrets.token_hex(16)
        return Signed(f"Ogrewatch {now}.{nonce}.{self._sign(now, nonce, method, authority, target)}", nonce)

    def check(self, header: str, method: str, authority: str, target: str) -> str:
        """Verify a request and return its nonce. Raises `Unsigned`."""
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
        """Whether an answer to the request with this nonce has the right signature."""
        return hmac.compare_digest(signature.encode(), self.answer(nonce, status, body).encode())

    def _remember(self, nonce: str) -> None:
        now = self._clock()
        while self._seen and next(iter(self._seen.values())) < now:
            self._seen.popitem(last=False)
        if nonce in self._seen or len(self._seen) >= _MOST:
            raise Unsigned("this request was made before")
        self._seen[nonce] = now + 2 * APART

    def _sign(self, *parts: str) -> str:
        """Sign parts, each with its length, so that no two lists of parts are signed alike."""
        content = "".join(f"{len(part)}:{part}," for part in parts)
        return hmac.new(self._key, content.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
