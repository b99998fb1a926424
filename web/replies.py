"""Makes the JSON responses of the API, and names the errors that handlers raise to answer with one."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from ingest.tokens import hidden


class Refused(Exception):
    """A request is answered with an error: its HTTP status, a sentence, and further members of the JSON object."""

    def __init__(self, status: HTTPStatus, text: str, more: Mapping[str, Any] | None = None, wait: int = 0) -> None:
        super().__init__(text)
        self.status, self.more, self.wait = status, dict(more or {}), wait


def reply(content: Any, status: int = HTTPStatus.OK) -> web.Response:
    """Make a JSON response."""
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")


def error(status: int, text: str, more: Mapping[str, Any] | None = None) -> web.Response:
    """Make a response that explains in `error` why a request failed; tokens in the text are hidden."""
    return reply({"error": hidden(text), **(more or {})}, status)


def refusal(why: Refused) -> web.Response:
    """Make the response of a `Refused`, with `Retry-After` when asking again is worth it."""
    answer = error(why.status, str(why), why.more)
    if why.wait:
        answer.headers["Retry-After"] = str(why.wait)
    return answer
