"""Serves `/metrics` for Prometheus, `/livez` and `/readyz` for Kubernetes, and `/healthz`, of the bridge.

`/readyz` and `/healthz` are 503 while RabbitMQ or Kafka is down. `/livez` needs the event loop alone.
"""

from collections.abc import Callable

from aiohttp import web

from ingest.metrics import Metrics


class HealthServer:
    """An HTTP server on its own port. `parts` returns for each of RabbitMQ and Kafka whether it is up."""

    def __init__(self, metrics: Metrics, parts: Callable[[], dict[str, bool]]) -> None:
        self._metrics, self._parts = metrics, parts

    async def open(self, host: str, port: int) -> None:
        """Listen. Raises `OSError`."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._page),
                web.get("/healthz", self._health),
                web.get("/livez", self._live),
                web.get("/readyz", self._health),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _page(self, _: web.Request) -> web.Response:
        body, content_type = self._metrics.page()
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _health(self, _: web.Request) -> web.Response:
        parts = self._parts()
        said = {name: "up" if up else "down" for name, up in parts.items()}
        return web.json_response(said, status=200 if all(parts.values()) else 503)
