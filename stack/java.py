"""Finds a Java runtime that can run the servers, and Maven to fetch them, by JAVA_HOME and PATH."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError

LEAST_JAVA = 17
"""The oldest major version that Kafka and Elasticsearch run on."""
_INSTALL = "install a JDK (Debian: `apt-get install openjdk-17-jre-headless`) or set JAVA_HOME to one"
_PROPERTY = re.compile(r"^\s*(java\.home|java\.specification\.version) = (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: where it lives and its major version."""

    home: Path
    version: int

    @property
    def executable(self) -> Path:
        """The `java` program itself."""
        return self.home / "bin" / "java"


def find_java() -> Java:
    """The runtime of JAVA_HOME, else of PATH. Raises StackError when there is none or it is older than 17."""
    java = _describe(_java_command())
    if java.version < LEAST_JAVA:
        raise StackError(f"Java {java.version} at {java.home} is too old, {LEAST_JAVA} or later is needed: {_INSTALL}.")
    return java


def find_maven() -> Path:
    """The `mvn` program. Raises StackError when PATH has none."""
    found = shutil.which("mvn")
    if found is None:
        raise StackError("Maven is missing: install it (Debian: `apt-get install maven`) so that `mvn` is on the PATH.")
    return Path(found)


def _java_command() -> str:
    home = os.environ.get("JAVA_HOME")
    if home:
        candidate = Path(home) / "bin" / "java"
        if not os.access(candidate, os.X_OK):
            raise StackError(f"JAVA_HOME is {home}, which holds no bin/java: {_INSTALL}.")
        return str(candidate)
    found = shutil.which("java")
    if found is None:
        raise StackError(f"Java is missing: {_INSTALL}.")
    return found


def _describe(command: str) -> Java:
    """Run `java` for its home and version: on the PATH it is often a link, or the wrapper of a version manager."""
    asked = [command, "-XshowSettings:properties", "-version"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = dict(_PROPERTY.findall(done.stderr))
    try:
        return Java(Path(found["java.home"].strip()), _major(found["java.specification.version"].strip()))
    except (KeyError, ValueError):
        raise StackError(f"{command} does not run as Java: {_INSTALL}.") from None


def _major(specification: str) -> int:
    """The major version of a specification version: Java 8 and older say 1.8, later ones the major version alone."""
    return int(specification.removeprefix("1."))
