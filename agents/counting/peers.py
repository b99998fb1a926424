"""Says where a count worker listens, by which address others reach it, and whom it answers.

On loopback it answers everybody who asks it by one of its names, unless there is a secret. Beyond loopback there must
be one (`OGREWATCH_SECRET`), and it answers only who shares it.
"""

import errno
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import orjson
from aiohttp import web
from aiohttp.typedefs import Middleware
from yarl import URL

from agents.settings import Settings
from topics.environment import BadSettings
from topics.network import HostNames, is_loopback
from topics.signing import ANSWER, REQUEST, Signer, Unsigned

PURPOSE = "count queries"
"""Purpose of the key that is derived from the secret."""
_PORTS = 100  # most ports that are tried

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Endpoint:
    """The socket that a count worker listens on, and the `url` by which others reach it.

    The constructor raises `BadSettings` where anybody could ask, `OSError` when no port is free.
    """

    def __init__(self, settings: Settings) -> None:
        host = advertised(settings)
        self.socket = bind(settings.count_host, settings.count_port)
        self.url = URL.build(scheme="http", host=host.strip("[]"), port=self.socket.getsockname()[1])


def advertised(settings: Settings) -> str:
    """Return the host that others are told. Raises `BadSettings` if they cannot reach it, or if anybody could ask."""
    host = settings.count_advertise or settings.count_host
    if _is_any(host):
        raise BadSettings(
            f"OGREWATCH_COUNT_ADVERTISE: say by which name or address others reach this worker, not {host}."
        )
    beyond = [one for one in (settings.count_host, host) if not is_loopback(one)]
    if beyond and settings.key(PURPOSE) is None:
        raise BadSettings(
            f"OGREWATCH_COUNT_HOST: {beyond[0]} is reached from other machines, and anybody there could ask: give all"
            " count and web roles the same OGREWATCH_SECRET or _SECRET_FILE (`openssl rand -hex 32` makes one)."
        )
    return host


def bind(host: str, first: int) -> socket.socket:
    """Listen on the first free port from `first`, on any if that is 0. Raises `OSError` if none is free."""
    for port in range(first, first + _PORTS) if first else (0,):
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(address)
            bound.listen()
        except OSError as error:
            bound.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return bound
    raise OSError(errno.EADDRINUSE, f"no free port from {first} to {first + _PORTS - 1}")


def guard(settings: Settings) -> Middleware:
    """Return the middleware that refuses strangers, and signs answers when there is a secret."""
    key = settings.key(PURPOSE)
    return _names(HostNames(settings.count_host, settings.count_advertise)) if key is None else _signed(Signer(key))


def _names(hosts: HostNames) -> Middleware:
    @web.middleware
    async def named(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not hosts.know(request.headers.getall("Host", ())):
            return _refused(421, "not a host name of this worker")
        return await handler(request)

    return named


def _signed(signer: Signer) -> Middleware:
    @web.middleware
    async def signed(request: web.Request, handler: Handler) -> web.StreamResponse:
        header, host = request.headers.get(REQUEST, ""), request.headers.get("Host", "")
        try:
            nonce = signer.check(header, request.method, host, request.raw_path)
        except Unsigned as why:
            return _refused(401, str(why))
        response = await handler(request)
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            response.headers[ANSWER] = signer.answer(nonce, response.status, response.body)
        return response

    return signed


def _refused(status: int, why: str) -> web.Response:
    return web.Response(body=orjson.dumps({"error": why}), status=status, content_type="application/json")


def _is_any(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return not host
