"""Stands in front of a server that cannot keep API keys: replaces the key of a request with a user's password."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from certificates import Pem

_HOP = {"authorization", "connection", "content-length", "host", "transfer-encoding", "content-encoding"}


@asynccontextmanager
async def key_proxy(behind: str, trusted: ssl.SSLContext, own: Pem, key: str, login: str) -> AsyncIterator[str]:
    """The URL of a proxy that answers 401, as Elasticsearch would, to whoever does not show `key`."""

    async def forward(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"ApiKey {key}":
            error = {"type": "security_exception", "reason": "unable to authenticate with provided credentials"}
            return web.json_response({"error": error, "status": 401}, status=401)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        body = await request.read()
        async with client.request(request.method, f"{behind}{request.raw_path}", data=body, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.chain, own.key)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", forward)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as client:
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            yield f"https://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
