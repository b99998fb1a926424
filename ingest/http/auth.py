"""Finds out who sent a request: the address, and the name that a token or a client certificate proves.

Tokens are accepted as Bearer (RFC 6750), as the password of Basic (RFC 7617), and as Elasticsearch's `ApiKey` (base64
of `id:token`), because each log shipper can be configured to send one of these.
"""

import base64
import binascii
import logging
from dataclasses import dataclass
from typing import Any

from aiohttp.web import BaseRequest

from ingest.http.responses import HttpError
from ingest.kafka_metadata import WRITABLE_TOPICS
from ingest.tokens import SEND, TokenError, TokenFile
from topics.network import HostNames, Networks, is_foreign, peer_of, sender_of

_EVERYTHING = frozenset(WRITABLE_TOPICS)
_CHALLENGE = 'Bearer realm="ogrewatch", Basic realm="ogrewatch"'

log = logging.getLogger("ogrewatch.ingest")


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender: its address, its name ("" when none is required), the topics it may write."""

    address: str
    name: str = ""
    topics: frozenset[str] = _EVERYTHING

    @property
    def client(self) -> str:
        """The name under which its records are counted against the rate limit."""
        return self.name or self.address


class Authenticator:
    """Identifies senders. A token is required as soon as one for sending has ever been made."""

    def __init__(self, tokens: TokenFile | None, certificates: bool, proxies: Networks, hosts: HostNames) -> None:
        self._tokens, self._certificates, self._proxies, self._hosts = tokens, certificates, proxies, hosts
        self._asks = False
        self._complaint = ""

    def required(self) -> bool:
        """Whether a sender must prove who it is."""
        return self._certificates or self._asks_tokens()

    def reject_foreign(self, http: BaseRequest) -> None:
        """Raises `HttpError` for a request to another host name (421), or from a page of another site (403).

        Such a page cannot read answers but could write: the browser that sends its requests is inside the network.
        """
        headers = http.headers
        if not self._hosts.know(hosts := headers.getall("Host", ())):
            raise HttpError(421, "not a host name of this proxy; OGREWATCH_INGEST_HOSTS lists them")
        if is_foreign("".join(hosts), headers.getall("Origin", ()), headers.getall("Sec-Fetch-Site", ())):
            raise HttpError(403, "a page of another site may not ask this proxy")

    def sender(self, http: BaseRequest) -> Sender:
        """Return who sent the request. Raises `HttpError`: 401 without valid proof, 403 for a token of another role."""
        address = self._address(http)
        subject = _subject(http) if self._certificates else ""
        if not self._asks_tokens():
            return Sender(address, subject)
        try:
            token = self._tokens.verify(_shown(http)) if self._tokens else None
        except TokenError as error:
            self._complain(error)
            token = None
        if token is None:
            raise HttpError(401, "a valid token is needed", code=40101, headers={"WWW-Authenticate": _CHALLENGE})
        if token.role != SEND:
            raise HttpError(403, "this token is not one to send with", code=40301)
        return Sender(address, token.name, frozenset(token.topics) & _EVERYTHING)

    def _asks_tokens(self) -> bool:
        if not self._asks and self._tokens is not None:
            try:
                self._asks = self._tokens.asked(SEND)
            except TokenError:  # `sender` reports it, and refuses every request
                return True
        return self._asks

    def _complain(self, error: TokenError) -> None:
        """Log an error of the token file once, not for each of thousands of requests."""
        if (said := str(error)) != self._complaint:
            self._complaint = said
            log.error("%s", said)

    def _address(self, http: BaseRequest) -> str:
        return sender_of(peer_of(http.transport), http.headers.getall("X-Forwarded-For", ()), self._proxies)


def _subject(http: BaseRequest) -> str:
    """The common name of the client's certificate, else its first alternative name."""
    shown: Any = http.transport.get_extra_info("peercert") if http.transport else None
    if not shown:
        return ""
    names = [value for part in shown.get("subject", ()) for key, value in part if key == "commonName"]
    others = [value for _, value in shown.get("subjectAltName", ())]
    return str([*names, *others, ""][0])


def _shown(http: BaseRequest) -> str:
    """The token of the header `Authorization`; "" when there is none."""
    scheme, _, value = http.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic" | "apikey":
            return _after_colon(value.strip())
    return ""


def _after_colon(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeError, ValueError):
        return ""
