"""Writes the access lines of nginx in its "combined" format, as nginx sends them to the local syslog.

https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format and https://nginx.org/en/docs/syslog.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from stack.demo.dialects import MONTHS
from stack.demo.scene import LOCAL7_INFO, Attempt, Host, Line, LogWriter

UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Request:
    """One request, `after` seconds after the previous one. `user` is the name of HTTP authentication, "-" for none."""

    target: str
    status: int = 200
    size: int = 612
    method: str = "GET"
    referer: str = "-"
    user: str = "-"
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """Requests of one client, in order. A 401 to a POST, or to a request with a user, is one failed attempt.

    Nothing else is an attempt.
    """

    at: float
    host: Host
    address: str
    agent: str
    requests: tuple[Request, ...]

    def lines(self, random: Random) -> Iterator[Line]:
        log = LogWriter(random, self.at, "nginx", None, LOCAL7_INFO)
        for request in self.requests:
            # nginx writes its own time; that of the relay is some milliseconds later, perhaps in the next second.
            stamp = _stamp(self.host.time(log.at + request.after))
            yield log.write(self._combined(request, stamp), self._attempt(request), request.after)

    def _combined(self, request: Request, stamp: str) -> str:
        what = f"{request.method} {request.target} HTTP/1.1" if request.method else request.target
        outcome = f"{request.status} {request.size}"
        return f'{self.address} - {request.user} [{stamp}] "{what}" {outcome} "{request.referer}" "{self.agent}"'

    def _attempt(self, request: Request) -> Attempt | None:
        if request.status != UNAUTHORIZED or (request.user == "-" and request.method != "POST"):
            return None
        return Attempt("web", "failure", request.user, self.address)


def _stamp(time: datetime) -> str:
    return f"{time.day:02d}/{MONTHS[time.month - 1]}/{time.year}:{time:%H:%M:%S %z}"
