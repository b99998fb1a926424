"""Exchanges a token for a cookie that scripts cannot read and other sites' requests do not carry, and takes it back.

https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie
"""

import html
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from web.access import COOKIE, Access, Denied
from web.sessions import LENGTH

PATHS = frozenset({"/login", "/logout"})
"""What can be asked for without having logged in."""
_PAGE = Path(__file__).parent / "static" / "login.html"
_NOTE = "<!-- why not -->"


@dataclass(frozen=True, slots=True)
class Login:
    """The handlers."""

    access: Access

    def routes(self) -> list[web.RouteDef]:
        """Every path."""
        return [
            web.get("/login", self.show),
            web.post("/login", self.log_in),
            web.post("/logout", self.log_out),
        ]

    async def show(self, _: web.Request) -> web.Response:
        """The form; the page itself where nobody is asked."""
        return _form() if self.access.asks() else _see("/")

    async def log_in(self, request: web.Request) -> web.Response:
        """The page and a cookie for a token to look with, else the form again."""
        shown = (await request.post()).get("token", "")
        try:
            session = self.access.log_in(request, shown.strip() if isinstance(shown, str) else "")
        except Denied as why:
            return _form(str(why), why)
        answer, secure = _see("/"), self.access.is_encrypted(request)
        answer.set_cookie(COOKIE, session, max_age=LENGTH, path="/", httponly=True, samesite="Strict", secure=secure)
        return answer

    async def log_out(self, request: web.Request) -> web.Response:
        """The form; the browser forgets its cookie."""
        answer, secure = _see("/login"), self.access.is_encrypted(request)
        answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=secure)
        return answer


def _form(note: str = "", why: Denied | None = None) -> web.Response:
    """Without the challenge, for which browsers would ask in their own words."""
    shown = f'<p class="notice" role="alert">{html.escape(note[:1].upper() + note[1:])}.</p>' if note else ""
    status = why.status if why is not None else HTTPStatus.OK
    headers = {name: value for name, value in (why.headers if why else {}).items() if name == "Retry-After"}
    text = _PAGE.read_text().replace(_NOTE, shown)
    return web.Response(text=text, status=status, headers=headers, content_type="text/html")


def _see(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
