"""A request in, who sent it out: the address, and the name that a token or a certificate proves.

https://www.rfc-editor.org/rfc/rfc6750 (Bearer), https://www.rfc-editor.org/rfc/rfc7617 (Basic, the password is the
token), and Elasticsearch's `ApiKey`, base64 of `id:token`: what log shippers can be told to send.
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
    """A sender: its address, its name ("" when nobody asked), the topics it may write."""

    address: str
    name: str = ""
    topics: frozenset[str] = _EVERYTHING

    @property
    def client(self) -> str:
        """What its use is counted under."""
        return self.name or self.address


class Authenticator:
    """Tells senders apart. Tokens are asked for from the moment that one to send with is made, and ever after."""

    def __init__(self, tokens: TokenFile | None, certificates: bool, proxies: Networks, hosts: HostNames) -> None:
        self._tokens, self._certificates, self._proxies, self._hosts = tokens, certificates, proxies, hosts
        self._asks = False
        self._complaint = ""

    def required(self) -> bool:
        """Whether a sender must show who it is."""
        return self._certificates or self._asks_tokens()

    def reject_foreign(self, http: BaseRequest) -> None:
        """Raises `HttpError` for a request that is not for us (421), or that a page of another site made (403).

        It reads no page, but would write: a browser sends it from inside the network, with what it remembers of logins.
        """
        headers = http.headers
        if not self._hosts.know(hosts := headers.getall("Host", ())):
            raise HttpError(421, "not a host name of this proxy; OGREWATCH_INGEST_HOSTS lists them")
        if is_foreign("".join(hosts), headers.getall("Origin", ()), headers.getall("Sec-Fetch-Site", ())):
            raise HttpError(403, "a page of another site may not ask this proxy")

    def sender(self, http: BaseRequest) -> Sender:
        """Who sent the request. Raises `HttpError` (401) when it does not prove what is asked for."""
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
            except TokenError:  # which `who` tells, and nobody is let in
                return True
        return self._asks

    def _complain(self, error: TokenError) -> None:
        """Say once what is wrong with the file: requests come by the thousand."""
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
