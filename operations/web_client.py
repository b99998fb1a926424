"""Asks the web role on behalf of commands: single answers, and streams of events.

No proxy of the environment is used: it could read tokens. A web role that is away is found out within a second.
"""

import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from agents.settings import Settings
from topics.kafka.client import secret
from topics.plaintext import readable_by_others

_TIMEOUT = 10.0  # seconds for an answer of the web role
_SERVER = "ogrewatch"  # as the web role calls itself
_WRONG = 2  # exit code of wrong options
_ANY = ("0.0.0.0", "::", "")


class NoAnswer(Exception):
    """There is nothing to print. The message says why, and `status` is the exit code.

    `http` and `said` are status and body of an answer of the web role, if there was one. `column` and `length` say
    where a search is wrong, 0 when it is not about one.
    """

    def __init__(self, text: str, status: int = 1, http: int = 0, said: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status, self.http, self.said = status, http, said or {}
        self.column, self.length = (int(self.said.get(name, 0)) for name in ("column", "length"))


class WebClient:
    """Asks one web role: that at `url`, or the one of the settings. Methods block, and raise `NoAnswer`."""

    def __init__(self, url: str | None = None) -> None:
        self._settings = Settings()
        self.url = (url or _default_url(self._settings)).rstrip("/")

    def get(self, path: str, asked: Mapping[str, Any] | None = None) -> bytes:
        """Return the body of an answer, JSON. Parameters that are None are left out."""
        with self._opened(path, asked or {}) as answer:
            try:
                body: bytes = answer.read()
                json.loads(body)
            except (ValueError, HTTPException, OSError):
                raise self._stranger() from None
        return body

    def json(self, path: str, asked: Mapping[str, Any] | None = None, accept: Collection[int] = ()) -> Any:
        """Return an answer, also of one of the statuses `accept`."""
        try:
            return json.loads(self.get(path, asked))
        except NoAnswer as error:
            if error.http in accept:
                return error.said
            raise

    def copy(self, path: str, asked: Mapping[str, Any]) -> None:
        """Write the body of an answer to standard output, as it is."""
        with self._opened(path, asked) as answer:
            shutil.copyfileobj(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()

    def stream(self, asked: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the events of the event stream: name and data. It ends when the web role does."""
        with self._opened("/api/v1/live", asked) as answer:
            name = ""
            try:
                for row in answer:
                    text = row.decode("utf-8", "replace").rstrip("\n")
                    if text.startswith("event: "):
                        name = text.removeprefix("event: ")
                    elif text.startswith("data: "):
                        yield name, json.loads(text.removeprefix("data: "))
            except (ValueError, HTTPException, OSError):
                pass
        raise NoAnswer(f"The web role at {self.url} has ended the stream.")

    def _opened(self, path: str, asked: Mapping[str, Any]) -> Any:
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(f"{self.url}{path}?{query}" if query else f"{self.url}{path}")
        if token := self._token():
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            return opener.open(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except OSError as error:
            text = f"Nobody answers at {self.url} ({_why(error)}). Is `ogrewatch worker web` running?"
            raise NoAnswer(text) from None
        except (ValueError, HTTPException):
            raise self._stranger() from None

    def _stranger(self) -> NoAnswer:
        return NoAnswer(f"What answers at {self.url} is not Ogrewatch.")

    def _token(self) -> str:
        """The token to send, "" for none. Raises `AccessRefused` when others could read it on the network."""
        settings, parts = self._settings, urlsplit(self.url)
        token = secret(settings.token, settings.token_file, "OGREWATCH_TOKEN_FILE")
        if token and parts.scheme == "http" and (said := readable_by_others([parts.hostname], "OGREWATCH_TOKEN")):
            from topics.errors import AccessRefused

            raise AccessRefused(said)
        return token

    def _refusal(self, error: urllib.error.HTTPError) -> NoAnswer:
        """What an error of the web role says, with the exit code of a wrong option when it refuses the question."""
        try:
            ours = error.headers.get("Server") == _SERVER
            said = json.loads(error.read()) if ours else {}
            text = str(said.get("error") or said["status"])
        except (OSError, ValueError, LookupError, TypeError, HTTPException):
            return NoAnswer(f"What answers at {self.url} says {error.code}{_phrase(error.code)}; is it Ogrewatch?")
        if error.code == HTTPStatus.UNAUTHORIZED:
            text += ": set OGREWATCH_TOKEN or OGREWATCH_TOKEN_FILE"
        text = text if text.endswith((".", "?")) else f"{text}."
        status = _WRONG if error.code == HTTPStatus.BAD_REQUEST else 1
        return NoAnswer(text, status, error.code, said)


def _default_url(settings: Settings) -> str:
    host = "127.0.0.1" if settings.web_host in _ANY else settings.web_host
    scheme = "https" if settings.web_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.web_port}"


def _why(error: OSError) -> str:
    cause = getattr(error, "reason", error)  # urllib wraps
    return getattr(cause, "strerror", None) or str(cause)


def _phrase(status: int) -> str:
    """The standard phrase of an HTTP status, "" for one that is not defined."""
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
