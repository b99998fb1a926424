"""Starts a Schema Registry on loopback, Apicurio with Confluent's API, and a proxy before it that can be shut.

It keeps everything in memory. https://www.apicur.io/registry/docs/apicurio-registry/2.6.x/
"""

import base64
import shutil
import ssl
import tempfile
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError

from stack import maven
from stack.cache import cache_dir, checksum
from stack.java import find_java
from stack.lock import locked
from stack.ports import HOST, free_port
from stack.server import Server

USER, PASSWORD = "ogre", "not/so:secret@"

_POM = Path(__file__).with_name("apicurio.xml")
_SHA256 = "d88014c1addff1fc585e1e9510fc41276473726340f4e0997353b46342d3532b"
_API = "/apis/ccompat/v7"


class Apicurio(Server):
    """An Apicurio registry with nothing in it."""

    name = "apicurio"
    setting = "nothing"

    @property
    def address(self) -> str:
        """Where its Confluent API begins."""
        return f"http://{HOST}:{self.port}{_API}"

    def answers(self) -> bool:
        """Whether it lists its subjects."""
        try:
            with urllib.request.urlopen(f"{self.address}/subjects", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _launch(self) -> None:
        (jar,) = _program().glob("*-runner.jar")
        where = [f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={self.port}"]
        java = [str(find_java().executable), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        self.daemon.spawn([*java, *where, "-jar", str(jar)], port=self.port)


def _program() -> Path:
    """The unpacked program, fetched first when the cache lacks it."""
    folder = cache_dir() / f"apicurio-{_SHA256[:12]}"
    if folder.exists():
        return folder
    cache_dir().mkdir(parents=True, exist_ok=True)
    with locked(cache_dir() / "apicurio.lock"), tempfile.TemporaryDirectory(dir=cache_dir()) as staging:
        if not folder.exists():
            maven.fetch(_POM, Path(staging) / "files", lambda _: None)
            (archive,) = Path(staging).glob("files/*.zip")
            assert checksum(archive) == _SHA256
            shutil.unpack_archive(archive, Path(staging) / "unpacked")
            (Path(staging) / "unpacked").rename(folder)
    return folder


class Door:
    """What stands in front of a registry: it may be shut, speak TLS with `certificate`, and want a password."""

    def __init__(self, behind: str, certificate: Path | None = None, *, password: bool = False) -> None:
        self.port, self._behind, self._certificate, self._password = free_port(), behind, certificate, password
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Without a password."""
        return f"{'https' if self._certificate else 'http'}://{HOST}:{self.port}"

    def open(self) -> None:
        """Let everybody in who may."""
        self._server = ThreadingHTTPServer((HOST, self.port), self._handler())
        if self._certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections; harmless if it does."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        behind = self._behind
        wanted = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}" if self._password else None

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if wanted is not None and self.headers["Authorization"] != wanted:
                    self._answer(401, "text/html", b"<h1>Who are you?</h1>")
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
                kind = {"Content-Type": self.headers.get("Content-Type", "")}
                request = urllib.request.Request(behind + self.path, body, kind, method=self.command)
                try:
                    with urllib.request.urlopen(request) as found:
                        self._answer(found.status, found.headers["Content-Type"], found.read())
                except HTTPError as error:
                    with error:
                        self._answer(error.code, error.headers["Content-Type"], error.read())

            do_POST = do_GET

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler
