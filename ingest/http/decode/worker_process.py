"""Runs functions for the proxy in a process of its own, one after the other, as `workers.Workers` asks.

A frame is its length, eight bytes, and a pickle: of a function and its arguments on standard input, of whether it
returned and what it returned or raised on standard output. The process ends with its standard input, that is with the
proxy. Its memory is limited, and it gives way to the proxy where both want the processor.
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

from ingest.http.decode.decompress import unpack
from ingest.http.responses import HttpError

LENGTH = struct.Struct(">Q")

_MEMORY = 2 << 30  # bytes of address space: what a body of 64 MiB with 2 million JSON values takes, twice over
_NICE = 5


class WorkerError(Exception):
    """A function raised what it should not; the traceback."""


class NeedsSchemas(Exception):
    """The body has Avro, which takes its time: it is to be read in a worker, with the schemas that are known."""


def unpack_and_call(
    body: bytes, encoding: str, limit: int, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[int, Any]:
    """Unpack a body; its size, and what the function makes of it."""
    content = unpack(body, encoding, limit)
    return len(content), function(content, *arguments)


def main() -> None:
    """Serve until the end of standard input."""
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
