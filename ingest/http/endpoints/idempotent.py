"""A request with an Idempotency-Key in; its answer, or the one it had before, out."""

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from ingest.http.idempotency import KeyReused
from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError

if TYPE_CHECKING:
    from ingest.http.router import Route

_LONGEST = 255
_REPLAYED = {"Idempotency-Replayed": "true"}


async def answer_idempotently(request: Request, route: "Route") -> Answer:
    """The answer to a request whose sender may send it again. Raises `HttpError` 400, or 422 for a key used
    otherwise.
    """
    key = request.http.headers["Idempotency-Key"].strip()
    if not 0 < len(key) <= _LONGEST:
        raise HttpError(400, f"an Idempotency-Key has 1 to {_LONGEST} characters")
    digest = await _digest(request)

    async def work() -> Answer:
        answer = await route.handler(request)
        assert isinstance(answer, Answer)  # only a body that is still coming is answered in a stream
        return answer

    try:
        answer, repeated = await request.context.idempotency.answer(f"{request.sender.client}\n{key}", digest, work)
    except KeyReused:
        raise HttpError(422, "this Idempotency-Key came with another request before") from None
    return replace(answer, headers={**answer.headers, **_REPLAYED}) if repeated else answer


async def _digest(request: Request) -> bytes:
    http = request.http
    begin = f"{http.method}\n{http.path_qs}\n{request.media_type}\n".encode("utf-8", "replace")
    return await request.read(_digest_of, begin)


def _digest_of(content: bytes, begin: bytes) -> bytes:
    digest = blake2b(begin)
    digest.update(content)
    return digest.digest()
