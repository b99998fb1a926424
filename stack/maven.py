"""Fetches the run-time dependencies of a pom into a folder with Maven.

https://maven.apache.org/plugins/maven-dependency-plugin/copy-dependencies-mojo.html
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from stack.errors import StackError
from stack.java import find_java, find_maven

_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_ATTEMPTS = 3
_PROGRESS = re.compile(r"Progress \(\d+\): (.+)")
_LINE_END = re.compile(rb"[\r\n]+")

Report = Callable[[str], None]


def fetch(pom: Path, into: Path, report: Report) -> None:
    """Copy the dependencies of `pom` into `into`; `report` is called with the progress. Blocks, maybe for minutes.

    Raises StackError when Maven or Java is missing, or when Maven fails three times.
    """
    command = [str(find_maven()), "--strict-checksums", "-f", str(pom), _GOAL, "-DincludeScope=runtime"]
    command += ["-Dstyle.color=never", f"-DoutputDirectory={into}"]
    find_java()
    for _ in range(_ATTEMPTS):
        complaint = _run(command, report)
        if complaint is None:
            return
    raise StackError(f"Maven could not fetch {pom.stem} (is the network up?): {complaint}")


def _run(command: list[str], report: Report) -> str | None:
    """Run Maven one time. Returns None when it succeeded, else its first line of error."""
    complaint = None
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in _lines(process.stdout):
            if found := _PROGRESS.search(line):
                report(found[1].strip())
            elif complaint is None and "ERROR" in line:
                complaint = line.replace("[ERROR]", "").strip()
    return None if process.returncode == 0 else complaint or f"it ended with code {process.returncode}"


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Yield lines as they are written. Maven ends its progress lines with a carriage return instead of a newline."""
    rest = b""
    while chunk := stream.read1(65536) if hasattr(stream, "read1") else stream.read(65536):
        *whole, rest = _LINE_END.split(rest + chunk)
        yield from (line.decode(errors="replace") for line in whole)
    yield rest.decode(errors="replace")
