"""Keeps what servers and workers write to their owner: folders are 0700, files 0600, since they hold others' logs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UMASK = 0o077
"""Takes every right from everybody but the owner."""


def make_private(folder: Path) -> None:
    """Make a folder of ours with those above it that are missing, all 0700; one that exists becomes 0700.

    Raises OSError.
    """
    with only_owner():
        folder.mkdir(parents=True, exist_ok=True)  # the mode it takes is for the last folder alone
    if folder.stat().st_mode & UMASK:
        folder.chmod(0o700)


@contextmanager
def only_owner() -> Iterator[None]:
    """What is made meanwhile, also by processes that are started, is the owner's alone. Concerns the whole process."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)
