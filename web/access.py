"""Decides who may see the page and use the API, and what they may do there.

On loopback no authentication is needed until a token of role `look` or `act` has been made. Beyond loopback it always
is: by a token (sent as `Authorization: Bearer`, RFC 6750, or exchanged for a cookie), or by a trusted reverse proxy
that names its user in a header.
"""

import logging
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil

from aiohttp import web

from agents.settings import Settings
from ingest.limits import RateLimiter
from ingest.settings import IngestSettings
from ingest.tokens import ACT, LOOK, Token, TokenError, TokenFile
from topics.environment import BadSettings
from topics.network import (
    HostNames,
    Networks,
    contains,
    is_foreign,
    is_loopback,
    names_of,
    networks,
    peer_of,
    sender_of,
)
from web.sessions import Sessions

COOKIE = "ogrewatch_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""HTTP methods that change nothing. All others need the role `act`."""
_FAILURES, _AGAIN = 10, 1 / 6  # wrong tokens from one address: as a burst, and a second in the long run
_LONGEST_NAME = 255

_log = logging.getLogger("ogrewatch.web")


class Denied(Exception):
    """A request is refused. Holds the HTTP status, the reason that the client gets, and headers of the response."""

    def __init__(self, status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.headers = status, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who sent a request: a name, "" without authentication, and a role, `look` or `act`."""

    name: str
    role: str

    def may(self, method: str) -> bool:
        """Whether the role allows this HTTP method."""
        return self.role == ACT or (self.role == LOOK and method in SAFE)


VIEWER: web.RequestKey[Viewer | None] = web.RequestKey("viewer", Viewer | None)  # type: ignore[arg-type]
"""The key under which a request stores its viewer."""


class Access:
    """The access rules of one web role. Raises `BadSettings` when others could reach it without authentication."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hosts = HostNames(settings.web_host, settings.web_hosts, _certified(settings))
        self._proxies = _networks(settings)
        self._tokens = TokenFile(IngestSettings().tokens or settings.data_dir / "tokens.json")
        self._sessions = Sessions(settings.key("web session") or secrets.token_bytes(32), self._tokens)
        self._actors = frozenset(name.strip() for name in settings.web_act.split(",") if name.strip())
        self._failures = RateLimiter(_AGAIN, _FAILURES)
        self._asks = False
        self._require_safety()

    def asks(self) -> bool:
        """Whether authentication is needed. Raises `TokenError`."""
        self._asks = self._asks or bool(self._settings.web_trust_header) or self._tokens.asked(LOOK, ACT)
        return self._asks

    def require_ours(self, request: web.Request) -> None:
        """Raise `Denied` for a request for another host (421), or a change requested by another site's page (403)."""
        headers = request.headers
        if not self._hosts.know(hosts := headers.getall("Host", ())):
            text = "not a host name of this page; OGREWATCH_WEB_HOSTS lists them"
            raise Denied(HTTPStatus.MISDIRECTED_REQUEST, text)
        foreign = is_foreign("".join(hosts), headers.getall("Origin", ()), headers.getall("Sec-Fetch-Site", ()))
        if foreign and request.method not in SAFE:
            raise Denied(HTTPStatus.FORBIDDEN, "a page of another site may not ask for this")

    def viewer(self, request: web.Request) -> Viewer | None:
        """The viewer of a request, None when it is not authenticated. Raises `Denied` for a wrong token."""
        try:
            if not self.asks():
                return Viewer("", ACT if is_loopback(self._settings.web_host) else LOOK)
            if (name := self._forwarded(request)) is not None:
                return Viewer(name, ACT if name in self._actors else LOOK)
            token = self._shown(request) or self._sessions.token(request.cookies.get(COOKIE, ""))
        except TokenError as error:
            _log.error("%s", error)
            return None
        return Viewer(token.name, token.role) if token is not None and token.role in (LOOK, ACT) else None

    def log_in(self, request: web.Request, shown: str) -> str:
        """Start a session for the owner of the token `shown`, and return it. Raises `Denied`."""
        try:
            token = self._verified(request, shown)
        except TokenError as error:
            _log.error("%s", error)
            raise Denied(HTTPStatus.UNAUTHORIZED, "the tokens cannot be read; the log says why") from None
        _log.info("%s logs in from %s", token.name, self._address(request))
        return self._sessions.make(token)

    def is_encrypted(self, request: web.Request) -> bool:
        """Whether the browser used TLS, to this process or to a trusted proxy."""
        proxied = contains(self._proxies, peer_of(request.transport))
        return request.secure or (proxied and request.headers.get("X-Forwarded-Proto", "") == "https")

    def _shown(self, request: web.Request) -> Token | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        return self._verified(request, value.strip()) if scheme.lower() == "bearer" else None

    def _verified(self, request: web.Request, shown: str) -> Token:
        """The token, if it is valid and may look. Wrong ones are limited per address, and so is what they log."""
        address = self._address(request)
        if wait := self._failures.take(address, 1):
            headers = {"Retry-After": str(ceil(wait))}
            raise Denied(HTTPStatus.TOO_MANY_REQUESTS, "too many wrong tokens from this address", headers)
        token = self._tokens.verify(shown)
        if token is None or token.role not in (LOOK, ACT):
            _log.warning("a wrong token from %s", address)
            raise Denied(HTTPStatus.UNAUTHORIZED, "this is no valid token to look with", CHALLENGE)
        self._failures.take(address, -1)  # a valid token costs nothing
        return token

    def _forwarded(self, request: web.Request) -> str | None:
        """The user that a trusted proxy names in its header; None for requests from elsewhere."""
        header = self._settings.web_trust_header
        if not header or not contains(self._proxies, peer_of(request.transport)):
            return None
        values = request.headers.getall(header, ())
        name = values[0].strip() if len(values) == 1 else ""
        return name if name.isprintable() and 0 < len(name) <= _LONGEST_NAME else None

    def _address(self, request: web.Request) -> str:
        forwarded = request.headers.getall("X-Forwarded-For", ())
        return sender_of(peer_of(request.transport), forwarded, self._proxies)

    def _require_safety(self) -> None:
        settings = self._settings
        if settings.web_trust_header and not self._proxies:
            raise BadSettings("OGREWATCH_WEB_TRUST_HEADER needs OGREWATCH_WEB_TRUSTED_PROXIES: whom to believe it.")
        try:
            safe = is_loopback(settings.web_host) or settings.web_insecure or self.asks()
        except TokenError as error:
            raise BadSettings(f"{error}.") from None
        if not safe:
            raise BadSettings(
                f"OGREWATCH_WEB_HOST: {settings.web_host} is reached from other machines, and nobody would be asked who"
                " he is. Make a token with `ogrewatch token create NAME --role look`, or let a proxy ask with"
                " OGREWATCH_WEB_TRUST_HEADER, or set OGREWATCH_WEB_INSECURE=true."
            )


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ogrewatch"'}


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 and newer, None without a certificate. Raises `BadSettings` when a file cannot be used."""
    if settings.web_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.web_certificate, settings.web_private_key, password="")  # else it would ask
    except OSError as error:
        why = error.strerror or error
        raise BadSettings(f"OGREWATCH_WEB_CERTIFICATE and _PRIVATE_KEY cannot be used: {why}.") from None
    return context


def _certified(settings: Settings) -> str:
    """The host names of the certificate."""
    tls_of(settings)  # raises when the files cannot be used
    return names_of(settings.web_certificate)


def _networks(settings: Settings) -> Networks:
    try:
        return networks(settings.web_trusted_proxies)
    except ValueError as error:
        raise BadSettings(f"OGREWATCH_WEB_TRUSTED_PROXIES: {error}.") from None
