"""Enters: a file. Leaves: the right to be the only process at work behind it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(file: Path, mode: int = 0o666) -> Iterator[None]:
    """Hold an advisory lock; blocks while another process holds it. A process that dies lets go.

    `mode` and the umask say who else may lock the file, if it is new.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT, mode), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
