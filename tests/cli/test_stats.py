"""What `ogrewatch stats` prints, and when it fails. The web role is a server with the answers of a test."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import stats
from stack.ports import HOST, free_port
from topics.errors import AccessRefused

app = typer.Typer()
app.command()(stats.command)

WINDOW = {"seconds": 300, "since": "2026-10-01T10:00:00Z", "until": "2026-10-01T10:06:00Z"}
WHOLE = {"of": 4, "missing": []}
ROW = {"name": "sshd", "attempts": 1353, "success": 12, "failure": 1340, "unknown": 1, "ratio": 0.008876}
OGRE = {
    "address": "203.0.113.9", "country": "NL", "failures": 1340, "successes": 2,
    "users": ["root", "[red]admin", "\x1b[2Jbob", "eve"], "user_count": 57, "users_more": True,
    "hosts": ["web1", "web2"], "host_count": 2, "hosts_more": False,
    "broke_in": True, "first_seen": "2026-10-01T10:00:01.250Z", "last_seen": "2026-10-01T10:05:59Z",
}  # fmt: skip


@dataclass
class Web:
    """A web role that answers whatever it is asked with `body`."""

    body: Any = None
    status: int = 200
    name: str = "ogrewatch"
    """What it calls itself."""
    asked: list[str] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)
    url: str = ""

    def run(self, *arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "100"}).invoke(app, [*arguments, "--url", self.url])


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def version_string(self) -> str:
            return web.name

        def do_GET(self) -> None:
            web.asked.append(self.path)
            web.shown.append(self.headers["Authorization"])
            body = web.body if isinstance(web.body, bytes) else json.dumps(web.body).encode()
            self.send_response(web.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer((HOST, 0), Handler) as server:
        web.url = f"http://{HOST}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield web
        server.shutdown()
        thread.join()


def test_the_ratio_is_a_table_with_a_total(web: Web) -> None:
    rows = [ROW, ROW | {"name": "[bold]web", "ratio": None}]
    web.body = {"window": WINDOW, "by": "service", "rows": rows, "total": ROW, "truncated": False, "partitions": WHOLE}
    result = web.run()
    assert result.exit_code == 0, result.output
    assert web.asked == ["/api/v1/auth/ratio?by=service"]
    lines = [line.split() for line in result.stdout.splitlines()]
    assert "Logins, Oct 01 10:00 to Oct 01 10:06 UTC" in result.stdout
    assert ["sshd", "12", "1,340", "1", "0.9%"] in lines
    assert ["[bold]web", "12", "1,340", "1", "-"] in lines
    assert ["All", "12", "1,340", "1", "0.9%"] in lines
    assert result.stderr == ""


def test_options_are_passed_on(web: Web) -> None:
    web.body = {"window": WINDOW, "by": "user", "rows": [], "total": ROW, "truncated": True, "partitions": WHOLE}
    result = web.run("ratio", "--window", "24h", "--by", "user", "--limit", "7")
    assert web.asked == ["/api/v1/auth/ratio?window=24h&limit=7&by=user"]
    assert "There are more: --limit." in result.stdout


def test_attackers_are_a_table(web: Web) -> None:
    web.body = {"window": WINDOW, "attackers": [OGRE], "total": 10_312, "broke_in_total": 2, "partitions": WHOLE}
    result = web.run("attackers")
    assert web.asked == ["/api/v1/attackers"]
    assert "203.0.113.9" in result.stdout
    assert "57+: root, [red]adm" in result.stdout
    assert "2: web1, web2" in result.stdout
    assert "Oct 01 10:05" in result.stdout
    assert "1 of 10,312 addresses, 2 got in; more with --limit." in result.stdout


def test_an_attacker_is_looked_up_by_address(web: Web) -> None:
    web.body = {"window": WINDOW, "attacker": OGRE | {"minutes": [{}, {}]}, "partitions": WHOLE}
    result = web.run("attacker", "2001:db8::9/x")
    assert web.asked == ["/api/v1/attackers/2001%3Adb8%3A%3A9%2Fx"]
    assert "\x1b" not in result.stdout
    assert "57+: root, [red]admin, �[2Jbob, eve" in result.stdout
    assert "Minutes active" in result.stdout


def test_json_is_the_answer_as_it_came(web: Web) -> None:
    web.body = b'{"attackers":  [], "partitions": {"of": 4, "missing": [1]}}'
    result = web.run("attackers", "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (0, web.body.decode() + "\n", "")


def test_missing_partitions_are_told_apart_from_the_table(web: Web) -> None:
    none = {"attackers": [], "total": 0, "broke_in_total": 0}
    web.body = {"window": WINDOW, **none, "partitions": {"of": 4, "missing": [1, 3]}}
    result = web.run("attackers")
    assert result.exit_code == 0
    assert result.stderr == "Too low: partitions 1, 3 of 4 do not answer.\n"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (400, {"error": "window: 'x' is no length of time"}, "window: 'x' is no length of time.\n"),
        (
            503,
            {"error": "No count worker can be asked. Is it running?"},
            "No count worker can be asked. Is it running?\n",
        ),
        (404, b"<html>", "What answers at {url} says 404 Not Found; is it Ogrewatch?\n"),
        (200, b"<html>", "What answers at {url} is not Ogrewatch.\n"),
    ],
)
def test_a_refusal_is_one_sentence(web: Web, status: int, body: Any, says: str) -> None:
    web.status, web.body = status, body
    result = web.run("ratio")
    expected = 2 if status == 400 else 1
    assert (result.exit_code, result.stdout, result.stderr) == (expected, "", says.format(url=web.url))


@pytest.mark.parametrize(
    ("status", "known"), [(400, " Bad Request"), (404, " Not Found"), (503, " Service Unavailable"), (599, "")]
)
def test_another_server_s_words_are_not_ours(web: Web, status: int, known: str) -> None:
    web.status, web.body, web.name = status, {"error": "no handler found for uri [/api/v1/auth/ratio]"}, "other"
    result = web.run("ratio")
    assert result.exit_code == 1
    assert result.stderr == f"What answers at {web.url} says {status}{known}; is it Ogrewatch?\n"


def test_an_answer_that_breaks_off_is_none() -> None:
    def break_off() -> None:
        with listening.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"window": ')

    with socket.create_server((HOST, 0)) as listening:
        thread = threading.Thread(target=break_off)
        thread.start()
        result = Web(url=f"http://{HOST}:{listening.getsockname()[1]}").run()
        thread.join()
    assert result.exit_code == 1
    assert result.stderr.endswith(" is not Ogrewatch.\n")


def test_nobody_is_one_sentence() -> None:
    result = Web(url=f"http://{HOST}:{free_port()}/").run()
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("(Connection refused). Is `ogrewatch worker web` running?\n")


def test_the_settings_say_whom_to_ask(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_WEB_HOST", "0.0.0.0")
    monkeypatch.setenv("OGREWATCH_WEB_PORT", web.url.rpartition(":")[2])
    web.body = {}
    assert CliRunner().invoke(app, ["attackers", "--json"]).exit_code == 0
    assert web.asked == ["/api/v1/attackers"]


def test_a_token_is_shown_where_nobody_else_can_read_it(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_TOKEN", "s3cret")
    web.body = {}
    assert web.run("--json").exit_code == 0
    assert web.shown == ["Bearer s3cret"]
    with pytest.raises(AccessRefused, match="OGREWATCH_PLAINTEXT_HOSTS") as told:
        CliRunner().invoke(app, ["--url", "http://192.0.2.1:8090"], catch_exceptions=False)
    assert "s3cret" not in str(told.value)


def test_who_is_not_known_is_told_what_to_set(web: Web) -> None:
    web.status, web.body = 401, {"error": "a token to look with is needed"}
    assert web.run().stderr == "a token to look with is needed: set OGREWATCH_TOKEN or OGREWATCH_TOKEN_FILE.\n"
    assert web.shown == [None]


@pytest.mark.parametrize("arguments", [["attacker"], ["ratio", "203.0.113.9"], ["--url", "file:///dev/null"]])
def test_what_cannot_be_asked_is_a_wrong_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2
