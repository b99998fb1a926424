"""Reads and checks the query parameters of the API. Functions raise BadParameter for a wrong name or value."""

from time import time

from aiohttp import web

from web.windows import BadWindow, Window, parse

BY = ("service", "address", "user")
MOST = 1000
"""Largest `limit`."""
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


def window(request: web.Request, default: str, longest: float) -> Window:
    """The window that ends now. Raises BadParameter."""
    try:
        return parse(request.query.get("window", default), time(), int(longest))
    except BadWindow as error:
        raise BadParameter(f"window: {error}") from None


def by(request: web.Request) -> str:
    """What attempts are grouped by, one of BY. Raises BadParameter."""
    text = request.query.get("by", BY[0])
    if text not in BY:
        raise BadParameter(f"by: {text!r} is none of {', '.join(BY)}")
    return text


def limit(request: web.Request, default: int) -> int:
    """The most rows of an answer, from 1 to MOST. Raises BadParameter."""
    text = request.query.get("limit", str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= MOST:
        raise BadParameter(f"limit: {text!r} is no number from 1 to {MOST}")
    return number


def address(request: web.Request) -> str:
    """The address of the path: an IP address, or the host name that a log had instead. Raises BadParameter."""
    text = request.match_info["address"]
    if not (text.isprintable() and len(text) <= _LONGEST_NAME):
        raise BadParameter(f"address: {text[:_LONGEST_NAME]!r} is neither an IP address nor a host name")
    return text
