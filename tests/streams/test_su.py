"""Tests the parser of su: which lines are attempts, and targets with names made up by the caller."""

import pytest
from parsing import attempt_of, event_of

TARGETS = (
    "root",
    "root) eve on pts/9",
    "root by eve",
    "root on pts/9",
    "a=b;c",
    '"q"',
    "x\x00\x1b[31m",
    "<38>1 - -",
    "ü",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        ("(to root) alice on pts/0", 1, "success"),
        ("FAILED SU (to root) alice on pts/0", 1, "failure"),
        ("Successful su for root by alice", 1, "success"),
        ("FAILED su for root by alice", 1, "failure"),
        ("+ /dev/pts/0 alice:root", 0, "success"),
        ("- /dev/pts/0 alice:root", 0, "failure"),
        ("alice to root on /dev/pts/0", 1, "success"),
        ("BAD SU alice to root on /dev/pts/0", 1, "failure"),
        ("'su root' succeeded for alice on /dev/pts/0", 1, "success"),
        ("'su root' failed for alice on /dev/pts/0", 1, "failure"),
        ("pam_authenticate: Authentication failure", 0, "failure"),
        (
            "pam_unix(su:auth): authentication failure; logname=a uid=1 euid=0 tty=t ruser=a rhost=  user=root",
            0,
            "failure",
        ),
        ("pam_unix(su:session): session opened for user root by alice(uid=1000)", 0, "success"),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("su", message) == (attempts, outcome)


@pytest.mark.parametrize(
    ("fields", "user", "target"),
    [
        ("logname=a uid=1 euid=0 tty=t ruser=b rhost=  user=root", "b", "root"),
        ("logname=a uid=1 euid=0 tty=t ruser= rhost=  user=root", "a", "root"),
        ("logname= uid=1 euid=0 tty=t ruser= rhost=  user=root", "root", None),
        ("logname= uid=1 euid=0 tty=t ruser=b rhost=  user=b", "b", None),
        ("logname= uid=1 euid=0 tty=t ruser=b rhost=", "b", None),
    ],
)
def test_who_asked_and_whose_password_was_wrong(fields: str, user: str, target: str | None) -> None:
    event = event_of("su", f"pam_unix(su:auth): authentication failure; {fields}")
    assert (event["user_name"], event.get("user_effective_name")) == (user, target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "shape",
    [
        "(to {}) mallory on pts/4",
        "FAILED SU (to {}) mallory on pts/4",
        "FAILED su for {} by mallory",
        "BAD SU mallory to {} on pts/4",
        "'su {}' failed for mallory on pts/4",
        "- pts/4 mallory:{}",
    ],
)
def test_a_target_does_not_rename_the_caller(shape: str, target: str) -> None:
    event = event_of("su", shape.format(target))
    assert (event["user_name"], event["user_effective_name"]) == ("mallory", target)
    assert event["extra"].get("su.tty", "pts/4") == "pts/4" if "extra" in event else "by mallory" in shape


@pytest.mark.parametrize("message", ["", "x", "(to", "FAILED", "to on", "a to b", "+ x"])
def test_what_su_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("su", message)["event_dataset"] == "syslog.unparsed"
