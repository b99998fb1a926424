"""Runs in a worker process: calls functions for `worker_pool.WorkerPool`, one after the other.

A frame is its length, eight bytes, and a pickle: of a function and its arguments on standard input; on standard output,
of whether it returned, and of what it returned or raised. The process ends when its standard input ends, that is with
the proxy. Its memory is limited, and it has a lower priority than the proxy.
"""

import os
import pickle
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from ingest.http.decode.decompress import decompress
from ingest.http.responses import HttpError

LENGTH = struct.Struct(">Q")

_MEMORY = 2 << 30  # bytes of address space: what a body of 64 MiB with 2 million JSON values takes, twice over
_NICE = 5  # added to the niceness, so that the proxy goes first


class WorkerError(Exception):
    """A function raised an unexpected exception; the message is its traceback."""


class NeedsSchemas(Exception):
    """The body has Avro, which is slow to read: it must be read in a worker, with the known schemas."""


def unpack_and_call(
    body: bytes, encoding: str, limit: int, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[int, Any]:
    """Decompress a body; return its size and the function's result."""
    content = decompress(body, encoding, limit)
    return len(content), function(content, *arguments)


def main() -> None:
    """Answer frames until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.nice(_NICE)
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while (frame := _frame(questions)) is not None:
        answer = _answer(frame)
        del frame
        answers.write(LENGTH.pack(len(answer)))
        answers.write(answer)
        answers.flush()


def _frame(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    frame = stream.read(size)
    return frame if len(frame) == size else None


def _answer(frame: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(frame)
        return pickle.dumps((True, function(*arguments)), 5)
    except (HttpError, NeedsSchemas) as error:
        return pickle.dumps((False, error), 5)
    except MemoryError:
        return pickle.dumps((False, HttpError(413, "reading the body takes too much memory")), 5)
    except Exception:
        return pickle.dumps((False, WorkerError(traceback.format_exc())), 5)
