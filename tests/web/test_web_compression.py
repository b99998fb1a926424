"""Answers and files are compressed for whoever accepts it, and only then."""

import gzip
from collections.abc import Mapping

import pytest
from aiohttp import ClientSession
from workers_kit import Client, Worker, attacker, page

from web.compression import accepts_gzip
from web.files import STATIC

ATTACKERS = "/api/v1/attackers"
ROWS = [attacker(f"2001:db8::{n:x}", 9) for n in range(50)]


async def raw_get(client: Client, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and the body as it was sent."""
    async with (
        ClientSession(auto_decompress=False) as session,
        session.get(client.make_url(path), headers=headers, skip_auto_headers=["Accept-Encoding"]) as response,
    ):
        return response.status, response.headers, await response.read()


SCRIPT = next(f"/static/{path.name}" for path in STATIC.glob("main-*.js"))


@pytest.mark.parametrize("path", [ATTACKERS, SCRIPT, "/static/icon.svg", "/", "/metrics"])
async def test_who_accepts_gzip_gets_the_same_in_less(path: str) -> None:
    async with page(Worker([0, 1, 2, 3], attackers=ROWS)) as client:
        _, plain_headers, plain = await raw_get(client, path)
        status, headers, packed = await raw_get(client, path, **{"Accept-Encoding": "gzip"})
    assert (status, headers["Content-Encoding"], headers["Vary"]) == (200, "gzip", "Accept-Encoding")
    assert ("Content-Encoding" in plain_headers, plain_headers["Vary"]) == (False, "Accept-Encoding")
    assert len(packed) < len(plain) * 0.8
    if path != "/metrics":  # which counts this request, too
        assert gzip.decompress(packed) == plain


async def test_parts_of_files_unchanged_files_and_short_answers_are_sent_as_they_are() -> None:
    accept = {"Accept-Encoding": "gzip"}
    async with page(Worker([0, 1, 2, 3])) as client:
        status, headers, part = await raw_get(client, "/static/icon.svg", Range="bytes=0-1", **accept)
        assert (status, part, "Content-Encoding" in headers) == (206, b"<s", False)
        _, headers, _ = await raw_get(client, "/static/icon.svg", **accept)
        tag = {"If-None-Match": headers["ETag"]}
        status, _, nothing = await raw_get(client, "/static/icon.svg", **accept, **tag)
        assert (status, nothing) == (304, b"")
        _, headers, body = await raw_get(client, ATTACKERS, **accept)
        assert ("Content-Encoding" in headers, body[:1]) == (False, b"{")


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.00", False),
        ("", False),
        ("x-gzip", False),
    ],
)
def test_a_weight_of_nought_refuses(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted
