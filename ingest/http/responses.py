"""Defines answers and errors of the proxy, and the three formats in which it reports an error.

Our own is `{"error": ..., "line": ..., "column": ..., "offset": ...}`.
Confluent's is `{"error_code": ..., "message": ...}`.
Elasticsearch's is `{"error": {"type": ..., "reason": ...}, "status": ...}`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from ingest.tokens import hidden

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is complete."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body)

    @property
    def final(self) -> bool:
        """Whether the same request would be answered in the same way again."""
        return self.status < 500 and self.status not in (408, 429)


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the decompressed body something is wrong: line and column from 1, offset in bytes from 0."""

    line: int
    column: int
    offset: int

    def __str__(self) -> str:
        return f"line {self.line} column {self.column} (byte {self.offset})"


class HttpError(Exception):
    """A request that is refused. `retry_after` is seconds; `code` is Confluent's error code, the status when None."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: int | None = None,
        retry_after: float | None = None,
        position: Position | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.position = status, hidden(message), position
        self.code = status if code is None else code
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))

    def __reduce__(self) -> Any:
        """For pickle, which cannot restore exceptions with keyword arguments by itself."""
        again = partial(
            HttpError, self.status, self.message, code=self.code, position=self.position, headers=self.headers
        )
        return again, ()

    @property
    def text(self) -> str:
        """The message with its position."""
        return f"{self.message} at {self.position}" if self.position else self.message


Dialect = Callable[[HttpError], Answer]


def dumps(value: Any) -> bytes:
    """Return compact JSON."""
    return orjson.dumps(value)


def ok(value: Any, status: int = 200, content_type: str = JSON) -> Answer:
    """Return an answer with JSON."""
    return Answer(status, orjson.dumps(value), content_type)


def place(position: Position | None) -> dict[str, int]:
    """Return a position as members of a JSON object."""
    if position is None:
        return {}
    return {"line": position.line, "column": position.column, "offset": position.offset}


def plain_error(refusal: HttpError) -> Answer:
    """Return the error in our own format."""
    return Answer(refusal.status, dumps({"error": refusal.message, **place(refusal.position)}), headers=refusal.headers)


def confluent_errors(content_type: str) -> Dialect:
    """Return a function that gives an error the format of the Confluent REST Proxy."""

    def refuse(refusal: HttpError) -> Answer:
        body = dumps({"error_code": refusal.code, "message": refusal.text})
        return Answer(refusal.status, body, content_type, refusal.headers)

    return refuse


_TYPES = {
    400: "illegal_argument_exception",
    401: "security_exception",
    403: "security_exception",
    404: "resource_not_found_exception",
    405: "illegal_argument_exception",
    413: "content_too_long_exception",
    415: "media_type_header_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}


def elastic_error(status: int, reason: str) -> dict[str, str]:
    """Return the description of an error in Elasticsearch's format."""
    return {"type": _TYPES.get(status, "exception"), "reason": reason}


def elastic_answer(refusal: HttpError) -> Answer:
    """Return the error in Elasticsearch's format."""
    error = elastic_error(refusal.status, refusal.text)
    body = dumps({"error": {"root_cause": [error], **error}, "status": refusal.status})
    return Answer(refusal.status, body, headers={**refusal.headers, "X-Elastic-Product": "Elasticsearch"})
