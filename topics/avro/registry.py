"""Registers our schemas in a Schema Registry, and looks up the schemas of ids.

It speaks Confluent's API. Subjects are named after topics (TopicNameStrategy).
https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

import base64
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from topics.avro.codec import EVENTS
from topics.avro.wire import SchemaIds
from topics.catalogue import STATS, typed
from topics.errors import RegistryRefused, RegistryUnavailable
from topics.plaintext import readable_by_others
from topics.records.stats import ATTEMPTS, WINDOWS

_TYPE = "application/vnd.schemaregistry.v1+json"
_TIMEOUT = 10.0  # seconds that one address has to answer
_LARGEST = 4 << 20  # bytes of an answer that are read
_SHOWN = 500  # characters of a registry's reason that are shown
_UNKNOWN = frozenset({40401, 40402, 40403})  # subject, version or schema not found


@dataclass(frozen=True, slots=True)
class Subject:
    """One of our schemas and its subject. It has the name `name` in `numbers`."""

    subject: str
    numbers: SchemaIds
    name: str

    @property
    def text(self) -> str:
        """The schema as JSON. Equal schemas have the same text."""
        return json.dumps(self.numbers.schemas[self.name])

    @property
    def number(self) -> int:
        """The schema id that records are written with now."""
        return int.from_bytes(self.numbers.first[self.name][1:], "big")


def subjects(prefix: str) -> dict[str, Subject]:
    """The subjects of the typed topics, by topic."""
    found = {typed(kind): (EVENTS, kind) for kind in EVENTS.schemas} | {STATS.name: (WINDOWS, ATTEMPTS)}
    return {prefix + topic: Subject(f"{prefix}{topic}-value", *known) for topic, known in found.items()}


class Registry:
    """A registry with one or several URLs, comma separated. A URL may contain a user name and a password.

    Creating it raises `RegistryRefused` when a URL is wrong. All methods block for up to about ten seconds an address,
    and raise `RegistryUnavailable`. Certificates are verified with those of the system, or with the file or folder in
    SSL_CERT_FILE or SSL_CERT_DIR.
    """

    def __init__(self, urls: str) -> None:
        self._addresses = [_Address.of(url.strip()) for url in urls.split(",")]
        self._open = build_opener(ProxyHandler({})).open
        self.shown = ",".join(address.url for address in self._addresses)

    def find(self, subject: Subject) -> int | None:
        """The id of a schema, or None if it is not registered under its subject."""
        status, answer = self._ask(f"/subjects/{quote(subject.subject, safe='')}", {"schema": subject.text})
        return _number(answer) if status == 200 else None

    def register(self, subject: Subject) -> int:
        """Register a schema if it is not registered, and return its id. Raises `RegistryRefused`."""
        path = f"/subjects/{quote(subject.subject, safe='')}"
        status, answer = self._ask(f"{path}/versions", {"schema": subject.text})
        if status == 409:
            raise RegistryRefused(
                f"{self.shown} does not take this version's schema of {subject.subject}, since it is not compatible "
                f"with those it has: {_reason(answer)}. Let it take any schema (PUT /config/{subject.subject} "
                '{"compatibility": "NONE"}), which Ogrewatch itself can read, or use another prefix.'
            )
        if status != 200:
            raise RegistryRefused(f"{self.shown} refuses the schema of {subject.subject}: {_reason(answer)}.")
        return _number(answer)

    def text(self, number: int) -> str | None:
        """The schema of an id, or None if there is none or it is not Avro."""
        status, answer = self._ask(f"/schemas/ids/{number}")
        if status != 200 or answer.get("schemaType", "AVRO") != "AVRO":
            return None
        text = answer.get("schema")
        if not isinstance(text, str):
            raise RegistryUnavailable(f"{self.shown} answers without a schema: is it a Schema Registry?")
        return text

    def _ask(self, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and answer of the first address that answers like a registry: 200, 409, 422, or 404."""
        for address in self._addresses:
            try:
                return self._ask_one(address, path, body)
            except RegistryUnavailable as error:
                away = error
        raise away

    def _ask_one(self, address: "_Address", path: str, body: Any) -> tuple[int, dict[str, Any]]:
        request = Request(address.url + path, None if body is None else json.dumps(body).encode())
        request.add_header("Accept", _TYPE)
        request.add_header("Content-Type", _TYPE)
        if address.credentials:
            request.add_unredirected_header("Authorization", address.credentials)
        try:
            with self._open(request, timeout=_TIMEOUT) as found:
                return 200, _object(found.read(_LARGEST))
        except HTTPError as error:
            with error:
                answer = _object(error.read(_LARGEST))
            if error.code in (409, 422) or (error.code == 404 and answer.get("error_code") in _UNKNOWN):
                return error.code, answer
            raise RegistryUnavailable(f"{address.url} answers {error.code} {error.reason}: {_reason(answer)}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RegistryUnavailable(f"{address.url} does not answer: {error}") from None


@dataclass(frozen=True, slots=True)
class _Address:
    """An address without its secret, and the value of the header `Authorization`, which may be empty."""

    url: str
    credentials: str

    @classmethod
    def of(cls, text: str) -> "_Address":
        """Parse a URL. Raises `RegistryRefused`."""
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        if parts.scheme not in ("http", "https") or not host or "@" in parts.path:  # never shown: it may hold a secret
            raise RegistryRefused(
                "the Schema Registry's address must be http://host:port or https://user:password@host:port, with "
                "special characters of the password percent-encoded"
            )
        named = parts.username is not None
        plain = [parts.hostname] if named and parts.scheme == "http" else []
        if said := readable_by_others(plain, "The Schema Registry's password"):
            raise RegistryRefused(said)
        secret = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
        header = f"Basic {base64.b64encode(secret).decode()}" if named else ""
        return cls(f"{parts.scheme}://{host}{parts.path.rstrip('/')}", header)


def register_all(registry: Registry, prefix: str) -> None:
    """Register our schemas, and write with the ids of the registry from now on. Raises as `Registry.register` does."""
    for subject in subjects(prefix).values():
        number = registry.find(subject)
        subject.numbers.adopt({subject.name: registry.register(subject) if number is None else number})


def pauses() -> Iterator[float]:
    """Yield the seconds to wait between tries while a registry does not answer: 0.5, doubled each time, up to 30."""
    pause = 0.5
    while True:
        yield pause
        pause = min(2 * pause, 30.0)


def _object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object; anything else, such as an error page, becomes an empty one."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(answer: dict[str, Any]) -> int:
    number = answer.get("id")
    if not isinstance(number, int) or not 0 < number < 1 << 31:
        raise RegistryUnavailable("the answer names no schema id: is it a Schema Registry?")
    return number


def _reason(answer: dict[str, Any]) -> str:
    return str(answer.get("message", "no reason given"))[:_SHOWN]
