"""Builds command lines that start further commands of this installation."""

import sys


def command_line(*arguments: str) -> list[str]:
    """Arguments that start `ogrewatch ARGUMENTS` in a process; -P keeps the current directory out of its imports."""
    return [sys.executable, "-P", "-c", "from cli.main import main; main()", *arguments]
