"""Reads large bodies in worker processes, because a body that takes a second to read would delay all other requests.

Each sender has one body at a time in the pool, so that all senders get a share. A worker that takes too long is killed.
"""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from ingest.http.decode.worker_process import LENGTH
from ingest.http.responses import HttpError

_COMMAND = [sys.executable, "-P", "-c", "from ingest.http.decode.worker_process import main; main()"]
_BUFFER = 1 << 20  # bytes of a worker's answer that are buffered


class WorkerPool:
    """At most `number` worker processes, started when needed; a body may take `limit` seconds."""

    def __init__(self, number: int, limit: float) -> None:
        self._limit, self._turns = limit, asyncio.Semaphore(number)
        self._idle: list[Process] = []
        self._all: set[Process] = set()  # those that were killed are among them until they have ended
        self._closed = asyncio.Event()
        self._senders: dict[str, tuple[asyncio.Lock, int]] = {}

    async def run(self, sender: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call the function in a worker and return its result; all must be fit for pickle. Waits for a free worker.

        Raises what the function raises, `HttpError` 413 when it takes too long, 503 when its process has ended.
        """
        async with self._turn(sender), self._turns:
            worker = self._idle.pop() if self._idle else await self._start()
            try:
                returned, result = await self._ask(worker, pickle.dumps((function, arguments), 5))
            except BaseException:
                self._end(worker)
                raise
            self._idle.append(worker)
        if not returned:
            raise result
        return result

    async def close(self) -> None:
        """Kill the workers and wait for their end; none is started any more."""
        self._closed.set()
        while self._all:
            worker = next(iter(self._all))
            self._end(worker)
            await worker.wait()
            self._all.discard(worker)
        await asyncio.sleep(0)  # the event loop closes their pipes

    @asynccontextmanager
    async def _turn(self, sender: str) -> AsyncIterator[None]:
        lock, waiting = self._senders.get(sender, (asyncio.Lock(), 0))
        self._senders[sender] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._senders.pop(sender)
            if waiting > 1:
                self._senders[sender] = lock, waiting - 1

    async def _start(self) -> Process:
        if not self._closed.is_set():
            worker = await asyncio.create_subprocess_exec(*_COMMAND, stdin=PIPE, stdout=PIPE, limit=_BUFFER)
            self._all.add(worker)
            if not self._closed.is_set():
                return worker
            self._end(worker)
        raise HttpError(503, "shutting down", retry_after=1)

    async def _ask(self, worker: Process, frame: bytes) -> Any:
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            async with asyncio.timeout(self._limit):
                worker.stdin.write(LENGTH.pack(len(frame)))
                worker.stdin.write(frame)
                await worker.stdin.drain()
                (size,) = LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))
                return pickle.loads(await worker.stdout.readexactly(size))
        except TimeoutError:
            raise HttpError(413, "reading the body takes too long") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise HttpError(503, "the process that read the body has ended", retry_after=1) from None

    def _end(self, worker: Process) -> None:
        if not self._closed.is_set():
            asyncio.get_running_loop().create_task(worker.wait()).add_done_callback(lambda _: self._all.discard(worker))
        with suppress(ProcessLookupError):
            worker.kill()
