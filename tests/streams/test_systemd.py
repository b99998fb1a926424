"""Tests the parser of systemd: units that start, stop and fail, and descriptions that look like messages."""

import pytest
from parsing import attempt_of, event_of


@pytest.mark.parametrize(
    ("message", "kind", "outcome"),
    [
        ("Starting x.service - X...", "info", None),
        ("Started x.service - X.", "start", "success"),
        ("Finished x.service - X.", "start", "success"),
        ("Stopping x.service - X...", "info", None),
        ("Stopped x.service - X.", "end", "success"),
        ("Failed to start x.service - X.", "start", "failure"),
        ("Dependency failed for x.service - X.", "start", "failure"),
        ("x.service: Failed with result 'timeout'.", "info", "failure"),
        ("x.service: Deactivated successfully.", "end", "success"),
        ("x.service: Main process exited, code=exited, status=0/SUCCESS", "end", "success"),
        ("x.service: Main process exited, code=exited, status=2/INVALIDARGUMENT", "end", "failure"),
        ("x.service: Main process exited, code=killed, status=11/SEGV", "end", "failure"),
        ("x.service: Failed to run 'start' task: Permission denied", "start", "failure"),
        ("x.service: Whatever else there may be", "info", None),
        ("Unit x.service entered failed state.", "info", "failure"),
        ("x.service failed.", "info", "failure"),
        ("x.service holdoff time over, scheduling restart.", "info", None),
        ("x.service start operation timed out. Terminating.", "start", "failure"),
        ("start request repeated too quickly for x.service", "start", "failure"),
    ],
)
def test_what_happened_to_a_unit(message: str, kind: str, outcome: str | None) -> None:
    event = event_of("systemd", message)
    assert (event["event_category"], event["event_type"]) == (["process"], [kind])
    assert event.get("event_outcome") == outcome
    assert event["extra"]["systemd.unit"].removesuffix(".service") == "x"


@pytest.mark.parametrize(
    ("message", "unit", "description"),
    [
        ("Started a@b\\x2dc.service - D - e.", "a@b\\x2dc.service", "D - e"),
        ("Started Some thing.", None, "Some thing"),
        ("Started x.service.", "x.service", None),
        ("Starting Some thing...", None, "Some thing"),
        ("Failed to start Some thing.", None, "Some thing"),
        ("Timed out waiting for device dev-sdb.device - /dev/sdb.", "dev-sdb.device", "/dev/sdb"),
        ("Listening on a.socket - S.", "a.socket", "S"),
        ("Started not a.service - S.", None, "not a.service - S"),
    ],
)
def test_names(message: str, unit: str | None, description: str | None) -> None:
    fields = event_of("systemd", message)["extra"]
    assert (fields.get("systemd.unit"), fields.get("systemd.description")) == (unit, description)


def test_a_session_names_its_user() -> None:
    assert event_of("systemd", "Started Session 12 of user alice.")["user_name"] == "alice"
    assert event_of("systemd", "Started session-1.scope - Session 1 of User bob.")["user_name"] == "bob"


def test_an_exit_code() -> None:
    event = event_of("systemd", "x.service: Main process exited, code=exited, status=203/EXEC")
    assert event["extra"]["process.exit_code"] == 203


@pytest.mark.parametrize(
    "text",
    [
        "x.service: Failed with result 'x'.",
        "Failed to start ssh.service.",
        'a=b;c "d" {}',
        "x\x1b[31m",
        "Session 1 of user",
    ],
)
def test_a_description_is_no_message(text: str) -> None:
    event = event_of("systemd", f"Started evil.service - {text}.")
    assert (event["event_outcome"], event["extra"]["systemd.unit"]) == ("success", "evil.service")
    assert event["extra"]["systemd.description"] == text
    assert "user_name" not in event


def test_nothing_is_an_attempt() -> None:
    assert attempt_of("systemd", "Started Session 12 of user alice.") == (0, "success")


@pytest.mark.parametrize(
    "message", ["", "Started", "x", "hello world", "x.service", "x.conf: Failed", "x.service hello"]
)
def test_what_systemd_does_not_write_is_not_understood(message: str) -> None:
    event = event_of("systemd", message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event


def test_a_line_of_a_units_file() -> None:
    event = event_of("systemd", "/lib/systemd/system/x.socket:5: ListenStream= references a path below /var/run/")
    assert event["extra"]["file.path"] == "/lib/systemd/system/x.socket"
