"""Reads and checks the query parameters of the API. Functions raise BadParameter for a wrong name or value."""

from collections.abc import Sequence
from time import time

from aiohttp import web

from web.windows import BadWindow, Window, between, parse

MOST = 1000
"""Largest `limit`."""
DAY = 86_400
DEEPEST = 10_000
"""Largest sum of `offset` and `limit`."""
LONGEST = 1024
"""Characters of a value."""
_LONGEST_NAME = 255  # characters; no host name is longer (RFC 1035)


class BadParameter(ValueError):
    """A parameter is wrong. The text names it and says what is allowed."""


def require_known(request: web.Request, *names: str) -> None:
    """Raises BadParameter for a parameter of another name, such as a misspelt one, and for one that is given twice."""
    for name in request.query:
        shown = repr(name[:_LONGEST_NAME])
        if name not in names:
            raise BadParameter(f"{shown}: no such parameter here; there are {', '.join(names)}")
        if len(request.query.getall(name)) > 1:
            raise BadParameter(f"{shown} is given twice")


def window(request: web.Request, default: str) -> Window:
    """The window that ends now (`window`), or the one between two times (`from` and `to`). Raises BadParameter."""
    query = request.query
    if "from" in query or "to" in query:
        if "window" in query:
            raise BadParameter("window: give it, or from and to, not both")
        if "from" not in query:
            raise BadParameter("from: is missing where to is given")
        try:
            return between(query["from"], query.get("to", ""), time())
        except BadWindow as error:
            raise BadParameter(f"from, to: {error}") from None
    try:
        return parse(query.get("window", default), time())
    except BadWindow as error:
        raise BadParameter(f"window: {error}") from None


def seconds(request: web.Request, name: str, default: str) -> int:
    """A length of time such as 24h, in seconds. Raises BadParameter."""
    try:
        return parse(request.query.get(name, default), time()).seconds
    except BadWindow as error:
        raise BadParameter(f"{name}: {error}") from None


def choice(request: web.Request, name: str, allowed: Sequence[str]) -> str:
    """One of the values allowed, the first by default. Raises BadParameter."""
    text = request.query.get(name, allowed[0])
    if text not in allowed:
        raise BadParameter(f"{name}: {text[:_LONGEST_NAME]!r} is none of {', '.join(allowed)}")
    return text


def limit(request: web.Request, default: int, most: int = MOST) -> int:
    """The most rows of an answer, from 1 to `most`. Raises BadParameter."""
    return number(request, "limit", default, 1, most)


def number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number within bounds. Raises BadParameter."""
    text = request.query.get(name, str(default))
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else least - 1
    if not least <= found <= most:
        raise BadParameter(f"{name}: {text[:_LONGEST_NAME]!r} is no number from {least} to {most}")
    return found


def text(request: web.Request, name: str) -> str:
    """A text, "" when it is not given. Raises BadParameter for one that is too long, or holds control characters."""
    found = request.query.get(name, "")
    if len(found) > LONGEST or not (found.isprintable() or not found):
        raise BadParameter(f"{name}: at most {LONGEST} printable characters")
    return found


def address(request: web.Request) -> str:
    """The address of the path: an IP address, or the host name that a log had instead. Raises BadParameter."""
    found = request.match_info["address"]
    if not (found.isprintable() and len(found) <= _LONGEST_NAME):
        raise BadParameter(f"address: {found[:_LONGEST_NAME]!r} is neither an IP address nor a host name")
    return found
