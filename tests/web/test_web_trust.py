"""Which count workers the web role believes, and where it looks for them."""

import asyncio
import socket
from typing import Any

import pytest
from workers_kit import Worker, page

from web.workers import _addresses

SECRET = "0123456789abcdef0123456789abcdef"


async def test_an_answer_that_is_not_signed_is_not_believed() -> None:
    worker = Worker([0, 1, 2, 3], rows={"sshd": (1, 1, 0)})
    async with page(worker, secret=SECRET) as client, client.get("/api/v1/auth/ratio") as answer:
        assert answer.status == 503
        assert "untrusted: its answer is not signed with our OGREWATCH_SECRET" in (await answer.json())["error"]
    assert worker.asked == ["/v1/owners"]


async def test_a_name_leads_to_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        if host != "count.example.com":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "")
        return [
            (*stream, ("192.0.2.1", port)), (*stream, ("192.0.2.1", port)), (*six, ("2001:db8::1", port, 0, 0)),
        ]  # fmt: skip

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(type(loop), "getaddrinfo", look_up)
    until = loop.time() + 60
    found = await _addresses("http://count.example.com:6066", until)
    assert found == ["http://192.0.2.1:6066", "http://[2001:db8::1]:6066"]
    for alone in (
        "http://127.0.0.1:6066",
        "http://localhost:6066",
        "http://absent.example.com:6066",
        "https://count.example.com",
    ):
        assert await _addresses(alone, until) == [alone]
