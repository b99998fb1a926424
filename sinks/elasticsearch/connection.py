"""Makes every Elasticsearch client from the settings of access, and says in sentences why a server refuses us.

https://www.elastic.co/docs/reference/elasticsearch/clients/python/connecting
"""

import _ssl
import hashlib
import os
import re
import socket
import ssl
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from elastic_transport import Urllib3HttpNode
from elasticsearch import (
    ApiError,
    AsyncElasticsearch,
    AuthenticationException,
    AuthorizationException,
    ConnectionError,
    ConnectionTimeout,
    Elasticsearch,
    TransportError,
)
from elasticsearch.exceptions import SSLError
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from topics.environment import FileSettings
from topics.errors import AccessRefused
from topics.kafka.client import context_of, secret, settings_of
from topics.plaintext import readable_by_others

_PREFIX = "OGREWATCH_ELASTICSEARCH_"
_TIMEOUT = 5.0  # seconds that a node has to answer


class ElasticsearchSecurity(FileSettings):
    """How clients connect to Elasticsearch. The variables are `OGREWATCH_ELASTICSEARCH_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, hide_input_in_errors=True)

    api_key: SecretStr | None = Field(None, description="API key, as Elasticsearch encodes it.")
    api_key_file: Path | None = Field(None, description="File with the API key.")
    user: str = Field("", description="Who we are, where there is no API key.")
    password: SecretStr | None = Field(None, description="The user's password.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca: Path | None = Field(None, description="Who signs the nodes' certificates, PEM; the system's when unset.")
    fingerprint: str = Field(
        "", description="SHA-256 of the authority's certificate, or of the node's own: nobody else is trusted."
    )

    def login(self) -> dict[str, Any]:
        """The options of a client that log it in. Raises `AccessRefused`."""
        if self.api_key is not None or self.api_key_file is not None:
            return {"api_key": secret(self.api_key, self.api_key_file, f"{_PREFIX}API_KEY_FILE")}
        if self.user:
            return {"basic_auth": (self.user, secret(self.password, self.password_file, f"{_PREFIX}PASSWORD_FILE"))}
        return {}

    @field_validator("fingerprint")
    @classmethod
    def _digits(cls, said: str) -> str:
        digits = said.replace(":", "").lower()
        if said and not re.fullmatch("[0-9a-f]{64}", digits):
            raise ValueError("a SHA-256 fingerprint has 64 hexadecimal digits.")
        return digits

    @model_validator(mode="after")
    def _agree(self) -> Self:
        password = [one for one in (self.password, self.password_file) if one is not None]
        key = [one for one in (self.api_key, self.api_key_file) if one is not None]
        if bool(self.user) != bool(password):
            raise ValueError(f"{_PREFIX}USER needs a _PASSWORD or a _PASSWORD_FILE, and they need it.")
        if len(password) + len(key) > 1:
            raise ValueError(f"of {_PREFIX}API_KEY, _API_KEY_FILE, _PASSWORD and _PASSWORD_FILE one is meant.")
        if self.ca is not None and self.fingerprint:
            raise ValueError(f"of {_PREFIX}CA and _FINGERPRINT one is meant.")
        return self


class _Node(Urllib3HttpNode):
    """A node that trusts only the authorities of its TLS context. The base class trusts the public ones, too."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        pool: Any = self.pool
        if config.ssl_context is not None:
            pool.ca_certs = None
            if not config.ssl_context.check_hostname:  # else urllib3 would check the name instead
                pool.assert_hostname = False


def client(urls: str, **options: Any) -> Elasticsearch:
    """A client of the nodes at `urls`, comma separated. `options` are those of the client. Raises `AccessRefused`.

    With a fingerprint it blocks until a node has sent its certificates, for five seconds at most.
    """
    return Elasticsearch(**_access(urls), node_class=_Node, **options)


def async_client(urls: str, **options: Any) -> AsyncElasticsearch:
    """A client for asyncio. It blocks and raises as `client` does."""
    return AsyncElasticsearch(**_access(urls), **options)


def answers(urls: str) -> bool:
    """Whether Elasticsearch answers. Blocks for five seconds a node at most. Raises `AccessRefused` when waiting would
    not help.
    """
    with client(urls, request_timeout=_TIMEOUT, max_retries=0) as asked:
        try:
            asked.cluster.health()
        except (ApiError, TransportError) as error:
            if (words := refusal(error)) is not None:
                raise AccessRefused(words) from None
            return False
    return True


def refusal(error: Exception) -> str | None:
    """A sentence about an error of authentication, authorization or TLS; None for any other error."""
    if isinstance(error, AuthenticationException):
        return f"Elasticsearch does not know us (status 401): see {_PREFIX}API_KEY, or _USER and _PASSWORD."
    if isinstance(error, AuthorizationException) and error.error == "security_exception":
        return f"Elasticsearch does not let us do this (status 403): {error.info['error'].get('reason', error)}."
    if isinstance(error, SSLError):
        return f"Elasticsearch cannot be trusted ({error}): {_PREFIX}CA or _FINGERPRINT says who signs for it."
    return None


def words(error: Exception) -> str:
    """A sentence about any error of a request, for commands and logs."""
    if (said := refusal(error)) is not None:
        return said
    if isinstance(error, ApiError):
        return f"Elasticsearch answers with status {error.status_code}: {_reason(error)}."
    if isinstance(error, ConnectionTimeout):
        return "Elasticsearch does not answer in time."
    if isinstance(error, ConnectionError):
        return f"Elasticsearch does not answer ({_cause(error)}). Is it running?"
    return f"Elasticsearch: {error}."


def _reason(error: ApiError) -> str:
    """The reason that the server gives, or else the message of the client."""
    about = error.body.get("error") if isinstance(error.body, dict) else None
    return str(about.get("reason") if isinstance(about, dict) else about or error.message)


def _cause(error: BaseException) -> str:
    """Find the operating system's reason among the errors that libraries wrapped around it."""
    seen, left = set[int](), [error]
    while left:
        found = left.pop()
        if isinstance(found, OSError) and found.strerror:
            number = found.errno or 0  # negative numbers are not errno, but those of getaddrinfo
            return os.strerror(number) if number > 0 else found.strerror
        if id(found) not in seen:
            seen.add(id(found))
            inner = (*getattr(found, "errors", ()), *found.args, found.__cause__, found.__context__)
            left += [one for one in inner if isinstance(one, BaseException)]
    return str(error).rsplit(": ", 1)[-1].strip(" ')(")


def _access(urls: str) -> dict[str, Any]:
    """The options that every client gets. Raises `AccessRefused`."""
    security, hosts = settings_of(ElasticsearchSecurity), [url.strip() for url in urls.split(",")]
    login, parts = security.login(), [urlsplit(host) for host in hosts]
    encrypted = [part for part in parts if part.scheme == "https"]
    if (security.ca or security.fingerprint) and len(encrypted) < len(hosts):
        raise AccessRefused(f"{_PREFIX}CA and _FINGERPRINT need OGREWATCH_ELASTICSEARCH to begin with https://.")
    plain = [part.hostname for part in parts if part.scheme != "https" and (login or "@" in part.netloc)]
    if said := readable_by_others(plain, "A password or key of Elasticsearch's"):
        raise AccessRefused(said)
    if login and any("@" in part.netloc for part in parts):
        raise AccessRefused(
            f"there is a user in OGREWATCH_ELASTICSEARCH, and another login in {_PREFIX}*: one is meant."
        )
    access = {"hosts": hosts, **login}
    if encrypted:
        places = [(part.hostname or "", part.port or 443) for part in encrypted]
        pin = security.fingerprint
        access["ssl_context"] = _pinned(places, pin) if pin else context_of(security.ca, f"{_PREFIX}CA")
    return access


def _pinned(places: list[tuple[str, int]], fingerprint: str) -> ssl.SSLContext:
    """A TLS context that trusts only the certificate with this fingerprint, among those that a node sends.

    Comparing fingerprints is not enough: certificates are public, and anybody can send one beside his own.
    """
    shown = _shown(places)
    for place, certificate in enumerate(shown):
        if hashlib.sha256(certificate).hexdigest() == fingerprint:
            context = ssl.create_default_context(cadata=certificate)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
            context.check_hostname = (
                place > 0
            )  # the fingerprint is that of the node itself, so that its name does not matter
            return context
    found = " and ".join(hashlib.sha256(one).hexdigest() for one in shown)
    raise AccessRefused(
        f"Elasticsearch cannot be trusted: {_PREFIX}FINGERPRINT is another than {found}, which it shows."
    )


def _shown(places: list[tuple[str, int]]) -> list[bytes]:
    """The certificates of the first node that answers, its own first. They are not verified."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    why: OSError | None = None
    for host, port in places:
        try:
            with (
                socket.create_connection((host, port), _TIMEOUT / len(places)) as plain,
                context.wrap_socket(plain, server_hostname=host) as wrapped,
            ):
                return _chain(wrapped)
        except OSError as error:
            why = error
    raise AccessRefused(
        f"Elasticsearch does not answer ({why}); with {_PREFIX}FINGERPRINT it has to, from the beginning."
    )


def _chain(wrapped: Any) -> list[bytes]:
    if sys.version_info >= (3, 13):
        return list(wrapped.get_unverified_chain())
    return [one.public_bytes(_ssl.ENCODING_DER) for one in wrapped._sslobj.get_unverified_chain()]
