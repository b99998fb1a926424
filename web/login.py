"""Logs a browser in and out: exchanges a token for a session cookie (HttpOnly, SameSite=Strict), and removes it.

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
"""Paths that need no authentication."""
_PAGE = Path(__file__).parent / "static" / "login.html"
_NOTE = "<!-- why not -->"


@dataclass(frozen=True, slots=True)
class Login:
    """The handlers of logging in and out."""

    access: Access

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        return [
            web.get("/login", self.show),
            web.post("/login", self.log_in),
            web.post("/logout", self.log_out),
        ]

    async def show(self, _: web.Request) -> web.Response:
        """Show the form; redirect to the page where no authentication is needed."""
        return _form() if self.access.asks() else _see("/")

    async def log_in(self, request: web.Request) -> web.Response:
        """Set the cookie and redirect to the page for a valid token; else show the form again, with the reason."""
        shown = (await request.post()).get("token", "")
        try:
            session = self.access.log_in(request, shown.strip() if isinstance(shown, str) else "")
        except Denied as why:
            return _form(str(why), why)
        answer, secure = _see("/"), self.access.is_encrypted(request)
        answer.set_cookie(COOKIE, session, max_age=LENGTH, path="/", httponly=True, samesite="Strict", secure=secure)
        return answer

    async def log_out(self, request: web.Request) -> web.Response:
        """Delete the cookie and redirect to the form."""
        answer, secure = _see("/login"), self.access.is_encrypted(request)
        answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=secure)
        return answer


def _form(note: str = "", why: Denied | None = None) -> web.Response:
    """The form. Without `WWW-Authenticate`, at which browsers would open a dialogue of their own."""
    shown = f'<p class="notice" role="alert">{html.escape(note[:1].upper() + note[1:])}.</p>' if note else ""
    status = why.status if why is not None else HTTPStatus.OK
    headers = {name: value for name, value in (why.headers if why else {}).items() if name == "Retry-After"}
    text = _PAGE.read_text().replace(_NOTE, shown)
    return web.Response(text=text, status=status, headers=headers, content_type="text/html")


def _see(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
