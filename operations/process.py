"""Arguments in, the command line of this very installation out."""

import sys


def command_line(*arguments: str) -> list[str]:
    """Another command of ours, as a process to start; -P keeps the current directory out of its imports."""
    return [sys.executable, "-P", "-c", "from cli.main import main; main()", *arguments]
