"""Compresses responses with gzip for clients that accept it (RFC 9110, section 12.5.3).

A page with fifty addresses is asked for every two seconds, and its JSON shrinks to a tenth.
"""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

_WORTH = 1024  # bytes; smaller bodies fit into one packet anyway
_CONDITIONS = ("Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since")
_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*", re.IGNORECASE)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def compressed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Compress files, and bodies from 1 KiB on. Parts of files, and conditional requests, are answered uncompressed.

    The answer to a condition is mostly 304 without a body, into which aiohttp would write an empty gzip stream.
    """
    response = await handler(request)
    if response.prepared or not _is_long(response):
        return response
    response.headers["Vary"] = "Accept-Encoding"
    plain = request.method != "GET" or any(name in request.headers for name in _CONDITIONS)
    if not plain and accepts_gzip(",".join(request.headers.getall("Accept-Encoding", ()))):
        response.enable_compression(web.ContentCoding.gzip)
    return response


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not with a weight of 0."""
    codings = (part.partition(";") for part in header.split(","))
    return any(name.strip().lower() == "gzip" and not _REFUSED.fullmatch(weight) for name, _, weight in codings)


def _is_long(response: web.StreamResponse) -> bool:
    if isinstance(response, web.Response):
        return isinstance(response.body, bytes) and len(response.body) >= _WORTH
    return isinstance(response, web.FileResponse)
