"""Imports the saved objects into a Kibana, over its public API.

We log in as we do to Elasticsearch, which is who Kibana asks: with its API key, or with its user and password.
Redirects are not followed, so that the login goes nowhere else.
https://www.elastic.co/docs/api/doc/kibana/operation/operation-importsavedobjectsdefault
"""

import base64
import http.client
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

from sinks.elasticsearch.connection import ElasticsearchSecurity
from sinks.elasticsearch.kibana.export import OLDEST, lines
from topics.errors import OgrewatchError
from topics.kafka.client import context_of, settings_of
from topics.plaintext import readable_by_others

_STATUS, _IMPORT = "/api/status", "/api/saved_objects/_import?overwrite=true"
_TIMEOUT = 60.0  # seconds for one answer
_LARGEST = 4 << 20  # bytes of an answer


class KibanaError(OgrewatchError):
    """Kibana is away, refuses us, or did not take every object."""


def install(url: str, ca: Path | None = None) -> int:
    """Import all objects, replacing those of an earlier import, and return how many there are. Blocks.

    `url` may have a base path and a space, as https://kibana.example:5601/s/security. `ca` says who signs Kibana's
    certificate, else `OGREWATCH_ELASTICSEARCH_CA` does. Raises `KibanaError`, and `AccessRefused` for wrong settings.
    """
    security, place = settings_of(ElasticsearchSecurity), _place(url)
    login = _login(security)
    if login and place.scheme != "https" and (said := readable_by_others([place.hostname], "A password or key")):
        raise KibanaError(said)
    with _connected(place, ca or security.ca) as connection:
        _require_version(_ask(connection, "GET", place.path + _STATUS, login))
        name = secrets.token_hex(16)
        headers = {**login, "kbn-xsrf": "true", "Content-Type": f"multipart/form-data; boundary={name}"}
        answer = _ask(connection, "POST", place.path + _IMPORT, headers, _form(name, lines()))
    if wrong := [_complaint(error) for error in answer.get("errors", [])]:
        raise KibanaError("\n".join(["Kibana did not take every object:", *wrong]))
    if answer.get("success") is not True:
        raise KibanaError("Kibana answers, but does not say that it imported the objects.")
    return int(answer["successCount"])


def _place(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        found.port  # noqa: B018 - it raises when the port is no number
    except ValueError:
        found = urlsplit("")
    if found.scheme not in ("http", "https") or not found.hostname or found.query or "@" in found.netloc:
        raise KibanaError("Kibana's address is http://host:port or https://host:port, perhaps with a path.")
    return found._replace(path=found.path.rstrip("/"))


def _login(security: ElasticsearchSecurity) -> dict[str, str]:
    """The header that says who we are, if Elasticsearch is told so. Raises `AccessRefused`."""
    login = security.login()
    if key := login.get("api_key"):
        return {"Authorization": f"ApiKey {key}"}
    if pair := login.get("basic_auth"):
        return {"Authorization": f"Basic {base64.b64encode(':'.join(pair).encode()).decode()}"}
    return {}


@contextmanager
def _connected(place: SplitResult, ca: Path | None) -> Iterator[http.client.HTTPConnection]:
    """A connection, opened by its first request; errors of the network become sentences."""
    host = place.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, place.port, timeout=_TIMEOUT, context=context_of(ca, "The file of --ca"))
        if place.scheme == "https"
        else http.client.HTTPConnection(host, place.port, timeout=_TIMEOUT)
    )
    try:
        yield connection
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise KibanaError(f"Kibana at {host} does not answer ({why}). Is it running?") from error
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> dict[str, Any]:
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    content = response.read(_LARGEST)
    try:
        found: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        found = None
    if response.status == http.client.OK and isinstance(found, dict):
        return found
    raise KibanaError(_refusal(response.status, found))


def _refusal(status: int, found: Any) -> str:
    if status in (401, 403):
        return f"Kibana does not let us do this (status {status}): see OGREWATCH_ELASTICSEARCH_API_KEY, or _USER."
    if status == 503:
        return "Kibana is not ready yet (status 503)."
    if status == 200 or 300 <= status < 400:
        return f"What answers is no Kibana, or has another base path (status {status})."
    return f"Kibana answers with status {status}: {found.get('message', '') if isinstance(found, dict) else ''}"


def _require_version(status: dict[str, Any]) -> None:
    """Raise `KibanaError` for a Kibana that is too old. One that does not tell is left to judge the objects itself."""
    version = status.get("version")
    number = str(version.get("number", "")) if isinstance(version, dict) else ""
    found = tuple(int(part) for part in number.split(".")[:2] if part.isdigit())
    if found and found < OLDEST:
        raise KibanaError(f"Kibana {number} is older than {'.'.join(map(str, OLDEST))}, which our objects are for.")


def _form(boundary: str, content: bytes) -> bytes:
    """A form with one file, which has to end with .ndjson."""
    head = 'Content-Disposition: form-data; name="file"; filename="ogrewatch.ndjson"'
    kind = "Content-Type: application/ndjson"
    return f"--{boundary}\r\n{head}\r\n{kind}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()


def _complaint(error: dict[str, Any]) -> str:
    title = error.get("meta", {}).get("title", error.get("title", error.get("id", "")))
    return f"{error.get('type')} {title}: {orjson.dumps(error.get('error')).decode()}"
