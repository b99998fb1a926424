"""Builds command lines that start further commands of this installation, and says who runs this one."""

import getpass
import socket
import sys
from contextlib import suppress


def command_line(*arguments: str) -> list[str]:
    """Arguments that start `ogrewatch ARGUMENTS` in a process; -P keeps the current directory out of its imports."""
    return [sys.executable, "-P", "-c", "from cli.main import main; main()", *arguments]


def who() -> str:
    """Who runs this command, as far as the machine knows."""
    user = "somebody"
    with suppress(OSError, KeyError):
        user = getpass.getuser()
    return f"{user}@{socket.gethostname()}"[:256]
