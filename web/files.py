"""Serves the page: index.html at `/`, and below `/static` what scripts/build-frontend made of web/frontend.

Built files have a hash of their content in their names, so browsers keep them for a year without asking
(https://www.rfc-editor.org/rfc/rfc8246); all others are checked for changes each time. Compressed copies lie beside
them, and aiohttp sends those to clients that accept them.
"""

import re
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
_HASHED = re.compile(r"/static/[\w.]+-[A-Z0-9]{8}\.[a-z]{2,4}(\.map)?")
_KEPT = "public, max-age=31536000, immutable"  # a year, in seconds


def routes() -> list[web.AbstractRouteDef]:
    """Return the paths of the page and its files."""
    return [web.get("/", _page), web.static("/static", STATIC)]


def caching(request: web.Request, response: web.StreamResponse) -> str:
    """Return the Cache-Control header. Answers with counts are never kept."""
    if not isinstance(response, web.FileResponse):
        return "no-store"
    return _KEPT if response.status < 400 and _HASHED.fullmatch(request.path) else "no-cache"


async def _page(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")
