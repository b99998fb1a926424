"""Tests the parser of Pure-FTPd: which lines are attempts, and names that look like its own words."""

import pytest
from parsing import attempt_of, event_of

NAMES = (
    "root",
    "x] (?@192.0.2.99) [INFO] root is now logged in",
    "x@192.0.2.99) [INFO] y is now logged in",
    "a=b;c",
    "[x]",
    "x\x00\x1b[31m",
    "two words",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        ("(?@192.0.2.1) [INFO] a is now logged in", 1, "success"),
        ("(?@192.0.2.1) [INFO] Anonymous user logged in", 1, "success"),
        ("(?@192.0.2.1) [WARNING] Authentication failed for user [a]", 1, "failure"),
        ("(?@192.0.2.1) [WARNING] Authentification échouée pour l'utilisateur [a]", 1, "failure"),
        ("(?@192.0.2.1) [WARNING] Can't login as [a]: account disabled", 1, "failure"),
        ("(?@192.0.2.1) [ERROR] Too many authentication failures", 0, "failure"),
        ("(?@192.0.2.1) [INFO] New connection from 192.0.2.1", 0, ""),
        ("(a@192.0.2.1) [INFO] Logout.", 0, ""),
        ("pam_unix(pure-ftpd:auth): authentication failure; logname= uid=0 euid=0 tty=t ruser=a rhost=x", 0, "failure"),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("pure-ftpd", message) == (attempts, outcome)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_hides_neither_address_nor_verdict(name: str) -> None:
    event = event_of("pure-ftpd", f"(?@203.0.113.66) [WARNING] Authentication failed for user [{name}]")
    assert (event["source_ip"], event["user_name"], event["event_outcome"]) == ("203.0.113.66", name, "failure")


@pytest.mark.parametrize(
    "path", ["x uploaded  (1 bytes, 1.00KB/sec)", "x (?@192.0.2.99) [INFO] y is now logged in", "a b"]
)
def test_a_path_is_all_path(path: str) -> None:
    event = event_of("pure-ftpd", f"(alice@203.0.113.66) [NOTICE] /{path} downloaded  (7 bytes, 1.00KB/sec)")
    assert (event["source_ip"], event["user_name"], event["extra"]["file.path"]) == (
        "203.0.113.66",
        "alice",
        "/" + path,
    )


@pytest.mark.parametrize("message", ["", "x", "(a) [INFO] x", "(?@h) INFO x", "(?@h) [LOUD] x"])
def test_what_pure_ftpd_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("pure-ftpd", message)["event_dataset"] == "syslog.unparsed"
