"""Asks the web role for live counts of logins, and prints them as a table or as JSON."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPException
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import typer
from rich.console import Console
from rich.text import Text

from agents.settings import Settings
from operations import stats_tables
from topics.errors import AccessRefused
from topics.kafka.client import secret
from topics.plaintext import readable_by_others

PANEL = "Look"

_TIMEOUT = 5.0  # seconds for an answer of the web role
_SERVER = "ogrewatch"  # as the web role calls itself
_WRONG = 2  # exit code of wrong options
_ANY = ("0.0.0.0", "::", "")
_ERRORS = Console(stderr=True, soft_wrap=True, highlight=False)


class What(StrEnum):
    """What can be asked for."""

    RATIO = "ratio"
    ATTACKERS = "attackers"
    ATTACKER = "attacker"


class By(StrEnum):
    """What logins can be told apart by."""

    SERVICE = "service"
    ADDRESS = "address"
    USER = "user"


class _NoAnswer(Exception):
    """There is nothing to print. The message says why, and `status` is the exit code."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def command(
    what: Annotated[What, typer.Argument(help="Logins by outcome, all attackers, or one.")] = What.RATIO,
    address: Annotated[str | None, typer.Argument(help="The attacker's address.")] = None,
    window: Annotated[
        str | None, typer.Option(help="Such as 90s, 5m, 1h or 24h.", show_default="5m, attackers 1h, attacker 24h")
    ] = None,
    by: Annotated[By, typer.Option(help="What the ratio tells apart.")] = By.SERVICE,
    limit: Annotated[int | None, typer.Option(min=1, max=1000, help="Most rows.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as it came.")] = False,
    url: Annotated[
        str | None, typer.Option(help="Where the web role answers.", show_default="from the settings")
    ] = None,
) -> None:
    """Show successful and failed logins as counted at this moment. The exit code is 1 when nobody answers,
    2 when what is asked for cannot be.

    Example: ogrewatch stats attackers --window 1h --limit 10
    """
    if (what is What.ATTACKER) != (address is not None):
        raise typer.BadParameter("`attacker` takes an address, and nothing else does")
    if url is not None and not url.startswith(("http://", "https://")):
        raise typer.BadParameter("a URL begins with http:// or https://", param_hint="--url")
    asked = {"window": window, "limit": limit, "by": by.value if what is What.RATIO else None}
    try:
        body = _ask((url or _default_url()).rstrip("/"), _path(what, address), asked)
    except _NoAnswer as error:
        _ERRORS.print(Text(str(error)))
        raise typer.Exit(error.status) from None
    if as_json:
        typer.echo(body)
    else:
        _print(what, json.loads(body))


def _default_url() -> str:
    settings = Settings()
    host = "127.0.0.1" if settings.web_host in _ANY else settings.web_host
    scheme = "https" if settings.web_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.web_port}"


def _path(what: What, address: str | None) -> str:
    if what is What.RATIO:
        return "/api/v1/auth/ratio"
    return f"/api/v1/attackers/{quote(address, safe='')}" if address else "/api/v1/attackers"


def _ask(url: str, path: str, asked: Mapping[str, Any]) -> bytes:
    """Return the body of the answer; raises `_NoAnswer`. No proxy of the environment is used: it could read it."""
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{url}{path}?{query}")
    if token := _token(url):
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with opener.open(request, timeout=_TIMEOUT) as response:
            body: bytes = response.read()
        json.loads(body)
    except urllib.error.HTTPError as error:
        with error:
            raise _NoAnswer(_refusal(url, error), _status(error)) from None
    except OSError as error:
        raise _NoAnswer(f"Nobody answers at {url} ({_why(error)}). Is `ogrewatch worker web` running?") from None
    except (ValueError, HTTPException):
        raise _NoAnswer(f"What answers at {url} is not Ogrewatch.") from None
    return body


def _token(url: str) -> str:
    """The token to send, "" for none. Raises `AccessRefused` when others could read it on the network."""
    settings, parts = Settings(), urlsplit(url)
    token = secret(settings.token, settings.token_file, "OGREWATCH_TOKEN_FILE")
    if token and parts.scheme == "http" and (said := readable_by_others([parts.hostname], "OGREWATCH_TOKEN")):
        raise AccessRefused(said)
    return token


def _why(error: OSError) -> str:
    cause = getattr(error, "reason", error)  # urllib wraps
    return getattr(cause, "strerror", None) or str(cause)


def _refusal(url: str, error: urllib.error.HTTPError) -> str:
    try:
        ours = error.headers.get("Server") == _SERVER
        text = str(json.loads(error.read())["error"]) if ours else ""
    except (OSError, ValueError, LookupError, TypeError, HTTPException):
        text = ""
    if not text:
        return f"What answers at {url} says {error.code}{_phrase(error.code)}; is it Ogrewatch?"
    if error.code == HTTPStatus.UNAUTHORIZED:
        text += ": set OGREWATCH_TOKEN or OGREWATCH_TOKEN_FILE"
    return text if text.endswith((".", "?")) else f"{text}."


def _phrase(status: int) -> str:
    """The standard phrase of an HTTP status, "" for one that is not defined."""
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _status(error: urllib.error.HTTPError) -> int:
    """The exit code for an HTTP status: that of a wrong option when Ogrewatch refuses the question."""
    return _WRONG if error.code == HTTPStatus.BAD_REQUEST and error.headers.get("Server") == _SERVER else 1


def _print(what: What, body: dict[str, Any]) -> None:
    tables = {What.RATIO: stats_tables.ratio, What.ATTACKERS: stats_tables.attackers}
    Console(highlight=False).print(tables.get(what, stats_tables.attacker)(body))
    if missing := body["partitions"]["missing"]:
        numbers = ", ".join(map(str, missing))
        _ERRORS.print(f"Too low: partitions {numbers} of {body['partitions']['of']} do not answer.", style="yellow")
