"""Makes and checks signed sessions, which a browser keeps in a cookie instead of its token.

Every web role with the same key can check them, and none has to store them. A session is
`<token id>.<expiry>.<signature>`: HMAC-SHA-256 (RFC 2104) over identity, expiry and the token's hash, so that it ends
when its token is revoked. https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable

from ingest.tokens import Token, TokenFile

LENGTH = 12 * 3600
"""Seconds that a session is valid."""
_SHAPE = re.compile(r"([0-9a-f]{12})\.([0-9]{1,12})\.([0-9a-f]{64})")


class Sessions:
    """Makes and checks sessions. `key` is secret, and the same in all web roles behind one address."""

    def __init__(self, key: bytes, tokens: TokenFile, clock: Callable[[], float] = time.time) -> None:
        self._key, self._tokens, self._clock = key, tokens, clock

    def make(self, token: Token) -> str:
        """Make a session for the owner of this token."""
        expiry = str(int(self._clock()) + LENGTH)
        return f"{token.id}.{expiry}.{self._signature(token, expiry)}"

    def token(self, session: str) -> Token | None:
        """The token that a session was made for; None when the session is forged or expired, or the token was revoked.

        Raises `TokenError` when the tokens cannot be read.
        """
        found = _SHAPE.fullmatch(session)
        token = self._tokens.find(found[1]) if found else None
        if found is None or token is None or not hmac.compare_digest(found[3], self._signature(token, found[2])):
            return None
        return token if int(found[2]) > self._clock() else None

    def _signature(self, token: Token, expiry: str) -> str:
        return hmac.new(self._key, f"{token.id}.{expiry}.{token.hash}".encode(), hashlib.sha256).hexdigest()
