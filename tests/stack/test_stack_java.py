"""Java and Maven are found, or their absence is told in a sentence."""

from pathlib import Path

import pytest

from stack.errors import StackError
from stack.java import find_java, find_maven


def pretend(folder: Path, settings: str) -> Path:
    """A Java home whose java prints these settings."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{settings}\nEND\n")
    java.chmod(0o755)
    return folder


def test_java_and_maven_are_found() -> None:
    assert find_java().version >= 17
    assert find_java().executable.exists()
    assert find_maven().exists()


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = pretend(tmp_path, f"    java.home = {tmp_path}\n    java.specification.version = 21")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert find_java().version == 21
    assert find_java().home == home


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("    java.home = /opt/java\n    java.specification.version = 1.8", "Java 8 at /opt/java is too old, 17 or"),
        ("The operation could not be completed. Unable to locate a Java Runtime.", "does not run as Java"),
    ],
)
def test_a_java_that_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, complaint: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(pretend(tmp_path, settings)))
    with pytest.raises(StackError, match=complaint):
        find_java()


def test_nothing_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="Java is missing: install a JDK"):
        find_java()
    with pytest.raises(StackError, match="Maven is missing: install it"):
        find_maven()


def test_a_java_home_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(StackError, match="holds no bin/java"):
        find_java()
