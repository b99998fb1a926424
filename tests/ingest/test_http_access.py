"""Tests who may write what: tokens, certificates, trusted proxies, and when the proxy refuses to start."""

import asyncio
import base64
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from http_kit import LINE, Proxy, Raw, make_certificates, running

from ingest.http.tls import Unsafe
from ingest.tokens import LOOK, SEND, TokenError, TokenFile

JSON = "application/vnd.kafka.json.v2+json"


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    """The file of tokens of the proxies below."""
    return TokenFile(tmp_path / "tokens.json")


async def test_a_token_opens_its_topics_and_names_the_sender(tokens: TokenFile, raw: Raw, tmp_path: Path) -> None:
    _, secret = tokens.create("web-shipper", ["raw.syslog"])
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        for shown in (f"Bearer {secret}", f"Basic {basic('anyone', secret)}", f"ApiKey {basic('id', secret)}"):
            assert await proxy.post("/lines", LINE, Authorization=shown) == (200, {"accepted": 1})
        status, answer = await proxy.post("/events", b"{}", Authorization=f"Bearer {secret}")
        assert (status, answer) == (403, {"error": "Not allowed to write to raw.events."})
        status, answer = await proxy.post(
            "/topics/raw.events", b'{"records":[{"value":1}]}', Content_Type=JSON, Authorization=f"Bearer {secret}"
        )
        assert (status, answer["error_code"]) == (403, 40301)
    for record in raw.records("raw.syslog"):
        assert ("ogrewatch.identity", b"web-shipper") in (record.headers() or [])
    assert raw.values("raw.events") == []


async def test_without_a_valid_token_nothing_is_shown_or_written(tokens: TokenFile, raw: Raw, tmp_path: Path) -> None:
    token, secret = tokens.create("a", ["raw.syslog"])
    wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        for shown in (
            "",
            "Bearer",
            f"Bearer {wrong}",
            f"Bearer ogw_{token.id}_",
            f"Basic {secret}",
            "Basic !",
            "Digest x",
        ):
            for method, path in (("POST", "/lines"), ("GET", "/metrics"), ("GET", "/topics"), ("GET", "/")):
                status, _, headers = await proxy.call(
                    method, path, LINE if method == "POST" else None, Authorization=shown
                )
                assert (status, "Bearer" in headers["WWW-Authenticate"]) == (401, True)
        status, answer = await proxy.post("/topics/raw.syslog", b"{}", Content_Type=JSON)
        assert (status, answer["error_code"]) == (401, 40101)
        for path in ("/status", "/test", "/healthz"):
            assert (await proxy.get(path))[0] == 200
    assert raw.values("raw.syslog") == []


async def test_tokens_are_required_from_the_first_one_on_and_revoked_immediately(
    tokens: TokenFile, raw: Raw, tmp_path: Path
) -> None:
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        assert (await proxy.post("/lines", LINE))[0] == 200
        _, secret = tokens.create("a", ["raw.syslog"])
        assert (await proxy.post("/lines", LINE))[0] == 401
        assert (await proxy.post("/lines", LINE, Authorization=f"Bearer {secret}"))[0] == 200
        tokens.revoke("a")
        assert (await proxy.post("/lines", LINE, Authorization=f"Bearer {secret}"))[0] == 401
        tokens.path.unlink()
        assert (await proxy.post("/lines", LINE))[0] == 401


async def test_tokens_of_readers_neither_close_the_proxy_nor_open_it(
    tokens: TokenFile, raw: Raw, tmp_path: Path
) -> None:
    _, look = tokens.create("reader", [], LOOK)
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        assert (await proxy.post("/lines", LINE))[0] == 200
        tokens.create("a", ["raw.syslog"])
        assert (await proxy.post("/lines", LINE))[0] == 401
        for method, path in (("POST", "/lines"), ("GET", "/topics"), ("GET", "/metrics")):
            body = LINE if method == "POST" else None
            assert (await proxy.call(method, path, body, Authorization=f"Bearer {look}"))[0] == 403
    tokens.revoke("a")
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        assert (await proxy.post("/lines", LINE))[0] == 401
    assert len(raw.values("raw.syslog")) == 1


def test_a_file_of_an_earlier_version_is_read(tokens: TokenFile) -> None:
    token, secret = tokens.create("a", ["raw.syslog"])
    entry = {name: getattr(token, name) for name in ("id", "name", "topics", "hash", "created")}
    tokens.path.write_bytes(orjson.dumps([entry]))
    assert tokens.verify(secret) == token
    assert tokens.asked(SEND)
    assert not tokens.asked(LOOK)
    tokens.path.write_bytes(b"[]")
    assert tokens.asked(SEND)


async def test_no_answer_echoes_a_token(tokens: TokenFile, raw: Raw, tmp_path: Path) -> None:
    _, secret = tokens.create("a", ["raw.syslog"])
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        for path in (f"/{secret}", f"/topics/{secret}", f"/v3/clusters/{secret}/topics", f"/lines?token={secret}"):
            for method in ("GET", "POST", "DELETE"):
                headers = {"Authorization": f"Bearer {secret}", "Content_Type": JSON, "Idempotency_Key": secret}
                status, content, said = await proxy.call(method, path, secret.encode(), **headers)
                assert secret not in f"{content}{said}", (method, path, status)


async def test_a_file_of_tokens_that_others_can_read_opens_nothing(tokens: TokenFile, raw: Raw, tmp_path: Path) -> None:
    _, secret = tokens.create("a", ["raw.syslog"])
    tokens.path.chmod(0o644)
    with pytest.raises(TokenError, match="chmod 600"):
        async with running(raw.servers, raw.prefix, tmp_path):
            pass
    tokens.path.chmod(0o600)
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        tokens.path.write_text("no JSON")
        assert (await proxy.post("/lines", LINE, Authorization=f"Bearer {secret}"))[0] == 401


def test_a_file_of_tokens_holds_no_secrets(tokens: TokenFile) -> None:
    token, secret = tokens.create("a", ["raw.syslog"])
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    assert secret.rpartition("_")[2] not in tokens.path.read_text()
    assert tokens.verify(secret) == token
    assert tokens.verify(secret.replace("ogw_", "")) == token
    with pytest.raises(TokenError, match="already"):
        tokens.create("a", [])
    with pytest.raises(TokenError, match="no token"):
        tokens.revoke("b")
    assert tokens.revoke(token.id) == token
    assert tokens.verify(secret) is None


async def test_a_sender_cannot_say_who_it_is(proxy: Proxy, raw: Raw) -> None:
    body = b'{"ogrewatch.ingest.address":"192.0.2.1"}'
    await proxy.post("/events", body, X_Forwarded_For="192.0.2.1", ogrewatch_sender="192.0.2.1")
    (record,) = raw.records("raw.events")
    assert ("ogrewatch.sender", b"127.0.0.1") in (record.headers() or [])


@pytest.mark.parametrize(
    ("forwarded", "sender"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1, 10.0.0.7", "192.0.2.1"),
        ("spoofed, ::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1%eth0, 127.0.0.1", "2001:db8::1"),
        ("192.0.2.1, unknown", "127.0.0.1"),
        ("10.0.0.8, 10.0.0.7", "10.0.0.8"),
        ("", "127.0.0.1"),
    ],
)
async def test_a_proxy_of_ours_tells_the_address(raw: Raw, tmp_path: Path, forwarded: str, sender: str) -> None:
    async with running(raw.servers, raw.prefix, tmp_path, trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as proxy:
        assert (await proxy.post("/lines", b"x", X_Forwarded_For=forwarded))[0] == 200
    (record,) = raw.records("raw.syslog")
    assert (record.key(), dict(record.headers() or [])["ogrewatch.sender"]) == (sender.encode(), sender.encode())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


async def test_tls_and_certificates_of_clients(certificates: Path, raw: Raw, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"certificate": certificates / "server.pem", "client_ca": certificates / "ca.pem"}
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    async with running(raw.servers, raw.prefix, tmp_path, **settings) as proxy:
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await (await proxy.client.post(proxy.url + "/lines", data=LINE, ssl=context)).read()
        context.load_cert_chain(certificates / "client.pem")
        async with proxy.client.post(proxy.url + "/lines", data=LINE, ssl=context) as answer:
            assert answer.status == 200
    (record,) = raw.records("raw.syslog")
    assert ("ogrewatch.identity", b"web-shipper") in (record.headers() or [])


async def test_certificates_and_tokens_are_both_needed_when_there_are_both(
    certificates: Path, tokens: TokenFile, raw: Raw, tmp_path: Path
) -> None:
    _, secret = tokens.create("named-by-token", ["raw.syslog"])
    settings: dict[str, Any] = {"certificate": certificates / "server.pem", "client_ca": certificates / "ca.pem"}
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    context.load_cert_chain(certificates / "client.pem")
    async with running(raw.servers, raw.prefix, tmp_path, host="0.0.0.0", **settings) as proxy:
        for headers, status in (({}, 401), ({"Authorization": f"Bearer {secret}"}, 200)):
            async with proxy.client.post(proxy.url + "/lines", data=LINE, ssl=context, headers=headers) as answer:
                assert answer.status == status
    (record,) = raw.records("raw.syslog")
    assert ("ogrewatch.identity", b"named-by-token") in (record.headers() or [])


async def test_tls_without_certificates_of_clients(certificates: Path, raw: Raw, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"certificate": certificates / "server.pem", "private_key": certificates / "server.key"}
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    async with running(raw.servers, raw.prefix, tmp_path, **settings) as proxy:
        async with proxy.client.post(proxy.url + "/lines", data=LINE, ssl=context) as answer:
            assert answer.status == 200
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with proxy.client.get(proxy.url + "/status", ssl=context) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("path", ["/lines", "/status", "/topics", "/_bulk", "/v3/clusters"])
async def test_a_request_for_another_host_is_refused(proxy: Proxy, raw: Raw, path: str) -> None:
    method, body = ("POST", LINE) if path in ("/lines", "/_bulk") else ("GET", None)
    for host in ("evil.example", f"evil.example:{proxy.receiver.port}", "127.0.0.1.evil.example", ""):
        status, answer, _ = await proxy.call(method, path, body, Host=host)
        assert (status, "OGREWATCH_INGEST_HOSTS" in str(answer)) == (421, True), host
    assert raw.values("raw.syslog") == []


async def test_our_own_names_are_answered_to(raw: Raw, tmp_path: Path) -> None:
    async with running(raw.servers, raw.prefix, tmp_path, hosts="logs.example.com") as proxy:
        for host in ("localhost", "127.0.0.1:1", "[::1]:8080", "192.0.2.1", "Logs.example.com:8080"):
            assert (await proxy.post("/lines", LINE, Host=host))[0] == 200, host
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.receiver.port)
        writer.write(b"GET /status HTTP/1.0\r\n\r\n")  # old probes send no Host
        assert (await reader.read()).startswith(b"HTTP/1.0 200")
        writer.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_cannot_post_logs(proxy: Proxy, raw: Raw, headers: dict[str, str]) -> None:
    for path in ("/lines", "/events", "/_bulk", "/topics/raw.syslog"):
        status, _ = await proxy.post(path, LINE, Content_Type="text/plain", **headers)
        assert status == 403, path
    assert raw.values("raw.syslog") == raw.values("raw.events") == []


async def test_a_page_of_our_own_origin_can(proxy: Proxy) -> None:
    origin = {"Origin": proxy.url, "Sec_Fetch_Site": "same-origin"}
    assert (await proxy.post("/lines", LINE, **origin))[0] == 200


async def test_a_remembered_login_does_not_help_another_site(tokens: TokenFile, raw: Raw, tmp_path: Path) -> None:
    _, secret = tokens.create("a", ["raw.syslog"])
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        remembered = {"Authorization": f"Basic {basic('anyone', secret)}", "Origin": "http://evil.example"}
        assert (await proxy.post("/lines", LINE, **remembered))[0] == 403
    assert raw.values("raw.syslog") == []


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"host": "0.0.0.0"}, "--insecure"),
        ({"host": "::"}, "--insecure"),
        ({"host": "ingest.example.com"}, "--insecure"),
        ({"client_ca": Path("ca.pem")}, "certificate"),
        ({"certificate": Path("absent.pem")}, "cannot be used"),
    ],
)
async def test_the_proxy_does_not_start_unsafely(
    kafka: str, tmp_path: Path, settings: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unsafe, match=why):
        async with running(kafka, "", tmp_path, **settings):
            pass


async def test_beyond_loopback_with_tokens_or_when_it_is_said(tokens: TokenFile, raw: Raw, tmp_path: Path) -> None:
    async with running(raw.servers, raw.prefix, tmp_path, host="0.0.0.0", insecure=True) as proxy:
        assert (await proxy.post("/lines", LINE))[0] == 200
    tokens.create("a", ["raw.syslog"])
    async with running(raw.servers, raw.prefix, tmp_path, host="0.0.0.0") as proxy:
        assert (await proxy.post("/lines", LINE))[0] == 401
