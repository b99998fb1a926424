"""Who may see the page and the API: on loopback anybody until there is a token, beyond it nobody who is not known."""

import logging
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, DummyCookieJar, TCPConnector
from aiohttp.test_utils import TestClient, TestServer
from workers_kit import Client, Worker, running, settings

from ingest.tokens import ACT, LOOK, SEND, TokenFile
from stack.ports import HOST
from topics.environment import BadSettings
from web.access import COOKIE, Viewer, tls_of
from web.application import make_app
from web.sessions import LENGTH, Sessions

RATIO, HEALTH, ABOUT = "/api/v1/auth/ratio", "/api/v1/health", "/api/v1/about"
CLOSED = (RATIO, "/api/v1/attackers", "/api/v1/attackers/192.0.2.1", ABOUT, "/metrics", "/api/v2", "/nothing")


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    """The tokens of the web roles below."""
    return TokenFile(tmp_path / "tokens.json")


@asynccontextmanager
async def web_role(folder: Path, **changes: Any) -> AsyncIterator[Client]:
    """A web role over one worker, and a client that keeps no cookies by itself."""
    worker = Worker([0, 1, 2, 3], rows={"sshd": (1, 2, 0)})
    async with running(worker):
        made = settings(worker.url, **{"data_dir": folder, "web_host": "0.0.0.0", **changes})
        async with TestClient(TestServer(make_app(made), host=HOST), cookie_jar=DummyCookieJar()) as client:
            yield client


async def ask(client: Client, path: str, method: str = "GET", **headers: str) -> tuple[int, str, ClientResponse]:
    """Status, text and the answer as such; redirections are not followed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.request(method, path, headers=named, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer


async def log_in(client: Client, token: str, **headers: str) -> tuple[int, str, ClientResponse]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.post("/login", data={"token": token}, headers=named, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer


def cookie_of(answer: ClientResponse) -> Any:
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]


async def test_on_loopback_nobody_is_asked_before_there_is_a_token(tokens: TokenFile, tmp_path: Path) -> None:
    tokens.create("shipper", ["raw.syslog"])  # is for ingest, and closes nothing here
    async with web_role(tmp_path, web_host="127.0.0.1") as client:
        assert (await ask(client, RATIO))[0] == (await ask(client, "/"))[0] == 200
        assert (await ask(client, "/login"))[2].headers["Location"] == "/"
        tokens.create("alice", [], LOOK)
        assert (await ask(client, RATIO))[0] == 401
        tokens.revoke("alice")
        assert (await ask(client, RATIO))[0] == 401
    async with web_role(tmp_path, web_host="127.0.0.1") as client:
        assert (await ask(client, RATIO))[0] == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "ogrewatch.example.com"])
def test_beyond_loopback_it_does_not_start_without_authentication(tmp_path: Path, tokens: TokenFile, host: str) -> None:
    bare = settings("http://127.0.0.1:1", data_dir=tmp_path, web_host=host)
    with pytest.raises(BadSettings, match=r"^OGREWATCH_WEB_HOST: .* --role look"):
        make_app(bare)
    tokens.create("shipper", ["raw.syslog"], SEND)
    with pytest.raises(BadSettings):
        make_app(bare)
    with pytest.raises(BadSettings, match="TRUSTED_PROXIES"):
        make_app(bare.model_copy(update={"web_trust_header": "X-Remote-User"}))
    for change in ({"web_insecure": True}, {"web_trust_header": "X-U", "web_trusted_proxies": "127.0.0.0/8"}):
        make_app(bare.model_copy(update=change))
    with pytest.raises(BadSettings, match="OGREWATCH_WEB_TRUSTED_PROXIES: "):
        make_app(bare.model_copy(update={"web_trusted_proxies": "all"}))
    tokens.create("alice", [], LOOK)
    make_app(bare)
    tokens.path.chmod(0o644)
    with pytest.raises(BadSettings, match="chmod 600"):
        make_app(bare)


async def test_who_shows_no_valid_token_sees_nothing(tokens: TokenFile, tmp_path: Path) -> None:
    _, look = tokens.create("alice", [], LOOK)
    _, send = tokens.create("shipper", ["raw.syslog"])
    wrong = look[:-1] + ("0" if look[-1] != "0" else "1")
    async with web_role(tmp_path) as client:
        for path in CLOSED:
            status, text, answer = await ask(client, path)
            assert (status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="ogrewatch"'), path
            assert "sshd" not in text
        for shown in ("", "Bearer", "Bearer x", f"Bearer {wrong}", f"Bearer {send}", f"Basic {look}"):
            assert (await ask(client, RATIO, Authorization=shown))[0] == 401, shown
        for shown in ("", "x", f"{'0' * 12}.9999999999.{'0' * 64}", look):
            assert (await ask(client, RATIO, Cookie=f"{COOKIE}={shown}"))[0] == 401, shown
        status, _, answer = await ask(client, "/")
        assert (status, answer.headers["Location"]) == (303, "/login")
        assert (await ask(client, "/login"))[0] == (await ask(client, "/static/icon.svg"))[0] == 200


async def test_a_token_opens_the_api(tokens: TokenFile, tmp_path: Path) -> None:
    _, secret = tokens.create("alice", [], LOOK)
    async with web_role(tmp_path) as client:
        status, text, _ = await ask(client, RATIO, Authorization=f"Bearer {secret}")
        assert (status, "sshd" in text) == (200, True)
        for path in ("/", "/metrics"):
            assert (await ask(client, path, Authorization=f"bearer {secret}"))[0] == 200
        _, text, _ = await ask(client, ABOUT, Authorization=f"Bearer {secret}")
        assert '"you":{"name":"alice","role":"look"}' in text


async def test_health_says_one_word_to_strangers(tokens: TokenFile, tmp_path: Path) -> None:
    _, secret = tokens.create("alice", [], LOOK)
    async with web_role(tmp_path) as client:
        assert (await ask(client, HEALTH))[:2] == (503, '{"status":"degraded"}')
        assert "workers" in (await ask(client, HEALTH, Authorization=f"Bearer {secret}"))[1]


async def test_a_token_is_exchanged_for_a_cookie_and_the_cookie_ends(tokens: TokenFile, tmp_path: Path) -> None:
    _, secret = tokens.create("alice", [], LOOK)
    async with web_role(tmp_path) as client:
        status, _, answer = await log_in(client, f" {secret} ")
        cookie = cookie_of(answer)
        assert (status, answer.headers["Location"]) == (303, "/")
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
        assert (cookie["secure"], cookie["domain"], int(cookie["max-age"])) == ("", "", LENGTH)
        assert secret.rpartition("_")[2] not in answer.headers["Set-Cookie"]
        session = {"Cookie": f"{COOKIE}={cookie.value}"}
        assert (await ask(client, RATIO, **session))[0] == (await ask(client, "/", **session))[0] == 200
        altered = cookie.value[:-1] + ("0" if cookie.value[-1] != "0" else "1")
        assert (await ask(client, RATIO, Cookie=f"{COOKIE}={altered}"))[0] == 401
        status, _, answer = await ask(client, "/logout", "POST", **session)
        assert (status, answer.headers["Location"], cookie_of(answer).value) == (303, "/login", "")
        tokens.revoke("alice")
        assert (await ask(client, RATIO, **session))[0] == 401


def test_a_session_is_over_in_time_and_known_to_those_with_the_key(tokens: TokenFile) -> None:
    token, _ = tokens.create("alice", [], LOOK)
    now = [1_000_000.0]
    sessions = Sessions(b"k" * 32, tokens, lambda: now[0])
    session = sessions.make(token)
    later = f"{token.id}.{int(now[0]) + 2 * LENGTH}.{session.rpartition('.')[2]}"
    assert sessions.token(session) == Sessions(b"k" * 32, tokens, lambda: now[0]).token(session) == token
    assert sessions.token(later) is Sessions(b"j" * 32, tokens, lambda: now[0]).token(session) is None
    now[0] += LENGTH
    assert sessions.token(session) is None


async def test_web_roles_with_one_secret_share_their_visitors(tokens: TokenFile, tmp_path: Path) -> None:
    _, secret = tokens.create("alice", [], LOOK)
    shared = "0123456789abcdef0123456789abcdef"
    async with (
        web_role(tmp_path, secret=shared) as one,
        web_role(tmp_path, secret=shared) as two,
        web_role(tmp_path) as other,
    ):
        session = {"Cookie": f"{COOKIE}={cookie_of((await log_in(one, secret))[2]).value}"}
        assert [(await ask(role, ABOUT, **session))[0] for role in (one, two, other)] == [200, 200, 401]
    with pytest.raises(BadSettings, match="shorter than 32"):
        make_app(settings("http://127.0.0.1:1", data_dir=tmp_path, secret=shared[1:]))


async def test_wrong_tokens_are_few_and_no_answer_or_log_holds_one(
    tokens: TokenFile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, secret = tokens.create("alice", [], LOOK)
    wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    said = ""
    async with web_role(tmp_path) as client:
        session = {"Cookie": f"{COOKIE}={cookie_of((await log_in(client, secret))[2]).value}"}
        for path in (f"/{secret}", f"/api/v1/attackers/{secret}", f"{RATIO}?window={secret}"):
            said += (await ask(client, path, **session))[1]
        statuses = []
        for number in range(12):
            bearer = {"Authorization": f"Bearer {wrong}"}
            status, text, answer = await (ask(client, RATIO, **bearer) if number % 2 else log_in(client, wrong))
            statuses.append(status)
            said += f"{text}{answer.headers}"
        assert (statuses[:10], statuses[10:]) == ([401] * 10, [429] * 2)
        assert 1 <= int(answer.headers["Retry-After"]) <= 6
        assert (await ask(client, RATIO, **session))[0] == 200  # who is in stays in
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith("ogrewatch"))
    for hidden in (secret, wrong, secret.rpartition("_")[2], wrong.rpartition("_")[2]):
        assert hidden not in said
        assert hidden not in logged
    assert logged.count("a wrong token from 127.0.0.1") == 10


async def test_a_proxy_of_ours_names_its_user(tmp_path: Path, tokens: TokenFile) -> None:
    trusting: dict[str, Any] = {"web_trust_header": "X-Remote-User", "web_act": "alice, root"}
    async with web_role(tmp_path, web_trusted_proxies="127.0.0.0/8", **trusting) as client:
        assert '"you":{"name":"bob","role":"look"}' in (await ask(client, ABOUT, X_Remote_User="bob"))[1]
        assert '"you":{"name":"alice","role":"act"}' in (await ask(client, ABOUT, X_Remote_User="alice"))[1]
        for name in ("", "a" * 256):
            assert (await ask(client, RATIO, X_Remote_User=name))[0] == 401
        assert (await ask(client, RATIO))[0] == 401
        async with client.get(RATIO, headers=[("X-Remote-User", "bob"), ("X-Remote-User", "alice")]) as answer:
            assert answer.status == 401
    async with web_role(tmp_path, web_trusted_proxies="192.0.2.0/24", **trusting) as client:
        spoofed = {"X_Remote_User": "alice", "X_Forwarded_For": "192.0.2.1"}
        assert (await ask(client, RATIO, **spoofed))[0] == 401


async def test_a_cookie_is_secure_where_a_proxy_of_ours_ends_tls(tokens: TokenFile, tmp_path: Path) -> None:
    _, secret = tokens.create("alice", [], LOOK)
    for proxies, secure in (("127.0.0.0/8", True), ("192.0.2.0/24", False)):
        async with web_role(tmp_path, web_trusted_proxies=proxies) as client:
            cookie = cookie_of((await log_in(client, secret, X_Forwarded_Proto="https"))[2])
            assert bool(cookie["secure"]) is secure


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example"]
)
async def test_a_request_for_another_host_is_refused(tmp_path: Path, host: str) -> None:
    async with web_role(tmp_path, web_host="127.0.0.1") as client:
        for path in ("/", RATIO, HEALTH, ABOUT, "/metrics", "/login", "/static/icon.svg", "/nothing"):
            status, text, _ = await ask(client, path, Host=host)
            assert (status, "OGREWATCH_WEB_HOSTS" in text) == (421, True), path
    async with web_role(tmp_path, web_host="127.0.0.1", web_hosts=host.partition(":")[0]) as client:
        assert (await ask(client, RATIO, Host=host))[0] == 200


async def test_other_sites_log_nobody_in_or_out(tokens: TokenFile, tmp_path: Path) -> None:
    _, secret = tokens.create("alice", [], LOOK)
    async with web_role(tmp_path) as client:
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "same-site"}):
            assert (await log_in(client, secret, **headers))[0] == 403
            assert (await ask(client, "/logout", "POST", **headers))[0] == 403
        own = {"Origin": f"http://{client.host}:{client.port}", "Sec_Fetch_Site": "same-origin"}
        assert (await log_in(client, secret, **own))[0] == 303


def test_roles_say_what_may_be_done_whatever_the_route() -> None:
    methods = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW")
    assert [Viewer("a", LOOK).may(method) for method in methods] == [True] * 3 + [False] * 5
    assert all(Viewer("a", ACT).may(method) for method in methods)
    assert not any(Viewer("a", role).may(method) for method in methods for role in (SEND, "", "root"))


async def test_who_may_look_may_not_act(tokens: TokenFile, tmp_path: Path) -> None:
    _, look = tokens.create("alice", [], LOOK)
    _, act = tokens.create("bob", [], ACT)
    async with web_role(tmp_path) as client:
        assert (await ask(client, RATIO, "POST", Authorization=f"Bearer {look}"))[0] == 403
        assert (await ask(client, RATIO, "POST", Authorization=f"Bearer {act}"))[0] == 405  # nothing there to do
    async with web_role(tmp_path / "none", web_insecure=True) as client:
        assert (await ask(client, RATIO))[0] == 200
        assert (await ask(client, RATIO, "POST"))[0] == 403


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A certificate for this machine and its key."""
    pair = tmp_path / "pair.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=page"
    asked = [
        *command.split(),
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:ogrewatch.example.com,DNS:*.example.org",
        "-keyout",
        str(pair),
        "-out",
        str(pair),
    ]
    subprocess.run(asked, check=True, capture_output=True)
    return pair


async def test_with_a_certificate_the_page_is_encrypted(tokens: TokenFile, tmp_path: Path, pair: Path) -> None:
    _, secret = tokens.create("alice", [], LOOK)
    made = settings("http://127.0.0.1:1", data_dir=tmp_path, web_host="0.0.0.0", web_certificate=pair)
    server = TestServer(make_app(made), host=HOST, scheme="https")
    await server.start_server(ssl=tls_of(made))
    trusting = ssl.create_default_context(cafile=pair)
    async with TestClient(server, cookie_jar=DummyCookieJar(), connector=TCPConnector(ssl=trusting)) as client:
        assert cookie_of((await log_in(client, secret))[2])["secure"] is True
        for host, status in (
            ("ogrewatch.example.com", 200), ("OGREWATCH.example.com:8090", 200), ("a.example.org", 200),
            ("evil.example", 421), ("a.b.example.org", 421), ("example.org", 421), ("example.com", 421),
        ):  # fmt: skip
            assert (await ask(client, "/login", Host=host))[0] == status, host


def test_a_certificate_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    bad = settings("http://127.0.0.1:1", web_certificate=tmp_path / "absent.pem")
    with pytest.raises(BadSettings, match="OGREWATCH_WEB_CERTIFICATE and _PRIVATE_KEY cannot be used: No such file"):
        tls_of(bad)
    assert tls_of(settings("http://127.0.0.1:1")) is None
