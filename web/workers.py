"""Asks all count workers the same question, and collects their answers within a deadline.

Any worker knows which workers own which partitions. The seeds and the workers known from the last request are asked for
the owners, all at the same time, and the first answer is used. Then each of the owners is asked one time.

With a key, requests are signed, and answers without a signature of that key are ignored (`topics/signing.py`).
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic

import orjson
from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout
from yarl import URL

from topics.network import is_address
from topics.signing import ANSWER, REQUEST, Signed, Signer
from web import answers
from web.answers import MALFORMED, Answer, Body, Reader, T
from web.merge import disputed, settle
from web.metrics import FAILURES

DEADLINE = 1.0
"""Seconds in which the workers must be found and answer; as many again when two of them claim one partition."""


class NoWorkers(Exception):
    """No count worker answered. The text says why, in a sentence for the user."""


class _Failed(Exception):
    """A worker gave no usable answer: `why` is one word, a label of the metric; the text has details."""

    def __init__(self, why: str, details: str = "") -> None:
        super().__init__(f"{why}: {details}" if details else why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Replies(Generic[T]):
    """Answers, no two of which cover the same partition, and the reasons of those that failed, by URL of the worker."""

    of: int
    answers: list[Answer[T]]
    failures: dict[str, str]

    @property
    def missing(self) -> list[int]:
        """Partitions that no answer covers."""
        return sorted(set(range(self.of)).difference(*(answer.partitions for answer in self.answers)))

    @property
    def contents(self) -> list[T]:
        """The contents of all answers."""
        return [answer.content for answer in self.answers]


class Workers:
    """The count workers: those at the URLs `seeds`, and all others that these name."""

    _session: ClientSession

    def __init__(self, seeds: Iterable[str], deadline: float = DEADLINE, key: bytes | None = None) -> None:
        self._deadline = deadline
        self._signer = Signer(key) if key is not None else None
        self._seeds = [seed.strip().rstrip("/") for seed in seeds if seed.strip()]
        self._known: list[str] = []

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keep connections to the workers open. `ask` works only inside this context."""
        async with ClientSession() as self._session:
            yield

    async def ask(self, path: str, reader: Reader[T], params: Mapping[str, Any] | None = None) -> Replies[T]:
        """Ask every worker for `path`. Raises NoWorkers when none can be found, or none of them answers in time."""
        until = asyncio.get_running_loop().time() + self._deadline
        of, urls = await self._owners(until)
        found, failures = await self._fan_out(urls, path, reader, params, until)
        if not found:
            raise NoWorkers(f"None of the count workers answers ({_summary(failures)}).")
        found = await self._undisputed(found)
        return Replies(max(of, *(answer.of for answer in found)), found, failures)

    async def _owners(self, until: float) -> tuple[int, list[str]]:
        failures: dict[str, str] = {}
        found = await asyncio.gather(*(_addresses(seed, until) for seed in self._seeds))
        seeds = [url for urls in found for url in urls]
        asking = {
            asyncio.ensure_future(self._one_owners(url, until, failures)) for url in dict.fromkeys(seeds + self._known)
        }
        try:
            for answer in asyncio.as_completed(asking):
                if (owners := await answer) is not None:
                    self._known = owners[1]
                    return owners
        finally:
            for other in asking:
                other.cancel()
        FAILURES.labels("nobody").inc()
        raise NoWorkers(f"No count worker can be asked ({_summary(failures)}). Is `ogrewatch worker count` running?")

    async def _one_owners(self, url: str, until: float, failures: dict[str, str]) -> tuple[int, list[str]] | None:
        try:
            return answers.owners(await self._get(f"{url}/v1/owners", until))
        except _Failed as error:
            failures[url] = str(error)
        except MALFORMED as error:
            failures[url] = f"malformed: {error!r}"
        return None

    async def _fan_out(
        self, urls: list[str], path: str, reader: Reader[T], params: Mapping[str, Any] | None, until: float
    ) -> tuple[list[Answer[T]], dict[str, str]]:
        failures: dict[str, str] = {}

        async def one(url: str) -> Answer[T] | None:
            try:
                return _read(url, await self._get(url + path, until, params), reader)
            except _Failed as error:
                FAILURES.labels(error.why).inc()
                failures[url] = str(error)
                return None

        said = await asyncio.gather(*map(one, urls))
        return [answer for answer in said if answer is not None], failures

    async def _undisputed(self, found: list[Answer[T]]) -> list[Answer[T]]:
        """Leave out stale answers: of two workers with one partition, the one that counted further owns it now."""
        if not (twice := disputed(found)):
            return found
        urls = [answer.worker for answer in found if not twice.isdisjoint(answer.partitions)]
        until = asyncio.get_running_loop().time() + self._deadline
        states, _ = await self._fan_out(urls, "/v1/state", answers.state, None, until)
        offsets = {
            (answer.worker, number): state.offset
            for answer in states
            for number, state in answer.content.items()
            if number in twice
        }
        return settle(found, offsets)

    async def _get(self, url: str, until: float, params: Mapping[str, Any] | None = None) -> Body:
        left = ClientTimeout(total=max(0.001, until - asyncio.get_running_loop().time()))
        to = _url(url, params)
        signed = self._sign(to)
        headers = {REQUEST: signed.header} if signed is not None else None
        try:
            async with self._session.get(to, headers=headers, timeout=left, allow_redirects=False) as response:
                content = await response.read()
        except TimeoutError:
            raise _Failed("late", f"no answer within {self._deadline:g} s") from None
        except (ClientError, OSError) as error:
            raise _Failed("unreachable", _cause(error)) from None
        if signed is not None and response.status != 401:
            self._require_signature(response.headers.get(ANSWER, ""), signed, response.status, content)
        if response.status != 200:
            raise _Failed("refused", _reason(content) or f"status {response.status}")
        return _json(content)

    def _sign(self, url: URL) -> Signed | None:
        if self._signer is None:
            return None
        return self._signer.request("GET", url.host_port_subcomponent or "", url.raw_path_qs)

    def _require_signature(self, signature: str, signed: Signed, status: int, content: bytes) -> None:
        if self._signer is not None and not self._signer.is_answer(signature, signed.nonce, status, content):
            raise _Failed("untrusted", "its answer is not signed with our OGREWATCH_SECRET")


def _url(text: str, params: Mapping[str, Any] | None) -> URL:
    try:
        url = URL(text, encoded=True)
    except ValueError as error:
        raise _Failed("unreachable", str(error)) from None
    return url.update_query(params) if params else url


async def _addresses(seed: str, until: float) -> list[str]:
    """The URLs of a seed at each address of its host name: that of a headless Service resolves to every worker."""
    url, loop = URL(seed, encoded=True), asyncio.get_running_loop()
    if url.scheme != "http" or not url.host or is_address(url.host) or url.host == "localhost":
        return [seed]
    try:
        async with asyncio.timeout_at(until):
            found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return [seed]
    return list(dict.fromkeys(str(url.with_host(str(address[0]))) for *_, address in found))


def _cause(error: Exception) -> str:
    """The reason of a failed connection, without the address: the caller shows that already."""
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    number = cause.errno if isinstance(cause, OSError) else None
    return os.strerror(number).lower() if number and number > 0 else str(cause) or type(cause).__name__


def _json(content: bytes) -> Body:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _Failed("malformed", str(error)) from None
    if not isinstance(body, dict):
        raise _Failed("malformed", "no JSON object")
    return body


def _reason(content: bytes) -> str:
    """The reason that a worker gave for refusing, "" when it gave none."""
    try:
        return str(_json(content).get("error", ""))
    except _Failed:
        return ""


def _read(url: str, body: Body, reader: Reader[T]) -> Answer[T]:
    try:
        return answers.read(url, body, reader)
    except MALFORMED as error:
        raise _Failed("malformed", repr(error)) from None


def _summary(failures: Mapping[str, str]) -> str:
    return "; ".join(f"{url}: {why}" for url, why in sorted(failures.items())) or "no worker is known"
