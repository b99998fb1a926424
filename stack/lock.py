"""Locks a file so that only one process at a time does some work (`flock`, an advisory lock)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(file: Path, mode: int = 0o666) -> Iterator[None]:
    """Hold the lock of a file; blocks while another process holds it. The system releases it when a process dies.

    A new file is made with `mode` and the umask, which say who else may lock it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT, mode), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
