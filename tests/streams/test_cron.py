"""Tests the parser of cron: jobs and tables, and commands that look like messages."""

import pytest
from parsing import attempt_of, event_of


@pytest.mark.parametrize(
    ("message", "category", "kind", "outcome"),
    [
        ("(root) CMD (id)", "process", "start", None),
        ("(root) CMDEND (id)", "process", "end", None),
        ("(bob) REPLACE (bob)", "configuration", "change", "success"),
        ("(bob) DELETE (bob)", "configuration", "deletion", "success"),
        ("(bob) LIST (bob)", "configuration", "access", "success"),
        ("(bob) AUTH (crontab command not allowed)", "configuration", "info", "failure"),
        ("(bob) CAN'T OPEN (tabs/bob)", "process", "info", "failure"),
        ("(CRON) bad username (/etc/cron.d/x)", "process", "info", "failure"),
        ("(CRON) INFO (pidfile fd = 3)", "process", "info", None),
        ("Job `cron.daily' started", "process", "start", None),
    ],
)
def test_what_happened(message: str, category: str, kind: str, outcome: str | None) -> None:
    event = event_of("CRON", message)
    assert (event["event_category"], event["event_type"]) == ([category], [kind])
    assert event.get("event_outcome") == outcome


@pytest.mark.parametrize(
    ("message", "user", "target"),
    [
        ("(root) LIST (bob)", "root", "bob"),
        ("(bob) REPLACE (bob)", "bob", None),
        ("(*system*) RELOAD (/etc/crontab)", None, None),
        ("(CRON) STARTUP (1.5)", None, None),
        ("(EXAMPLE\\bob) CMD (id)", "EXAMPLE\\bob", None),
        ("USER bob pid  7 cmd id", "bob", None),
    ],
)
def test_users(message: str, user: str | None, target: str | None) -> None:
    event = event_of("crond", message)
    assert (event.get("user_name"), event.get("user_target_name")) == (user, target)


@pytest.mark.parametrize(
    "command",
    [") CMD (id", "(root) CMD (id)", "a=b;c 'd' \"e\" {}", "x\x1b[31m\x00", "caf\udce9", "(", ")", "x) REPLACE (root"],
)
def test_all_that_follows_is_the_command(command: str) -> None:
    event = event_of("CROND", f"(mallory) CMD ({command})")
    assert event["user_name"] == "mallory"
    assert event["process_command_line"] == command.encode("utf-8", "surrogateescape").decode(
        "utf-8", "backslashreplace"
    )


@pytest.mark.parametrize("program", ["cron", "CRON", "CROND", "/usr/sbin/cron", "crond"])
def test_programs(program: str) -> None:
    assert event_of(program, "(root) CMD (id)")["event_dataset"] == "cron"


def test_the_directory_of_a_job() -> None:
    for program, message in (("run-parts(/etc/x)", "starting a"), ("run-parts", "(/etc/x) starting a")):
        event = event_of(program, message)
        assert (event["process_name"], event["extra"]) == ("run-parts", {"cron.directory": "/etc/x", "cron.job": "a"})


def test_a_job_that_failed() -> None:
    event = event_of("CRON", "(CRON) error (grandchild #77 failed with exit status 3)")
    assert event["extra"]["process.exit_code"] == 3


@pytest.mark.parametrize("message", ["(bob) AUTH (crontab command not allowed)", "(bob) PAM ERROR (no)"])
def test_nothing_is_an_attempt(message: str) -> None:
    assert attempt_of("crontab", message) == (0, "failure")


@pytest.mark.parametrize(
    "message", ["", "x", "(root)", "(root) CMD", "(root) CMD (id", "() CMD (x)", "USER x", "(/x) y"]
)
def test_what_cron_does_not_write_is_not_understood(message: str) -> None:
    event = event_of("cron", message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event
