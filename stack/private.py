"""Makes folders (0700) and files (0600) that only their owner can read, since they hold the logs of others."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UMASK = 0o077
"""Removes all rights of group and others."""


def make_private(folder: Path) -> None:
    """Make a folder and its missing parents, all 0700. A folder that exists becomes 0700.

    Raises OSError.
    """
    with only_owner():
        folder.mkdir(parents=True, exist_ok=True)  # its argument `mode` would not apply to the parents
    if folder.stat().st_mode & UMASK:
        folder.chmod(0o700)


@contextmanager
def only_owner() -> Iterator[None]:
    """Set the umask, for the whole process and those that it starts, so that new files are only for their owner."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)
