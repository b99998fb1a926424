"""Tests the parser of sudo: what counts as an attempt, and commands that look like log lines."""

import json

import pytest
from parsing import attempt_of, event_of

WHERE = "TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls"


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f"  alice : {WHERE}", 1, "success"),
        ("alice : PWD=/ ; USER=root ; COMMAND=/bin/ls", 1, "success"),
        (f"alice : 1 incorrect password attempt ; {WHERE}", 1, "failure"),
        (f"alice : 3 incorrect password attempts ; {WHERE}", 3, "failure"),
        (f"alice : 999999999 incorrect password attempts ; {WHERE}", 1000, "failure"),
        (f"alice : user NOT in sudoers ; {WHERE}", 1, "failure"),
        (f"alice : command not allowed ; {WHERE}", 1, "failure"),
        (f"alice : user NOT authorized on host ; {WHERE}", 1, "failure"),
        (f"alice : a password is required ; {WHERE}", 1, "failure"),
        (f"alice : interactive authentication is required ; {WHERE}", 1, "failure"),
        (f"alice : user not allowed to change root directory to /x ; {WHERE}", 1, "failure"),
        ('@cee:{"sudo":{"accept":{"submituser":"a","command":"/bin/ls","runuser":"root"}}}', 1, "success"),
        ('@cee:{"sudo":{"reject":{"submituser":"a","command":"/bin/ls","runuser":"root"}}}', 1, "failure"),
        ('@cee:{"sudo":{"exit":{"exit_value":1}}}', 0, ""),
        (f"alice : problem with defaults entries ; {WHERE}", 0, ""),
        ("alice : (command continued) --more", 0, "success"),
        ("alice : unable to resolve host h", 0, ""),
        ("pam_unix(sudo:auth): authentication failure; logname=a uid=1 tty=x ruser=a rhost=  user=a", 0, "failure"),
        ("pam_unix(sudo:session): session opened for user root by alice(uid=1000)", 0, "success"),
        ("pam_unix(sudo:auth): conversation failed", 0, "failure"),
    ],
)  # fmt: skip
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("sudo", message) == (attempts, outcome)


@pytest.mark.parametrize(
    "command",
    [
        "/bin/echo ; USER=nobody ; COMMAND=/bin/true",
        "/bin/echo bob : TTY=pts/9 ; PWD=/ ; USER=nobody ; COMMAND=/bin/true",
        "/bin/sh -c a=b;c 'd' \"e\" {}",
        "/bin/echo user NOT in sudoers",
        "/bin/echo 3 incorrect password attempts ; x",
        "/bin/echo \x00\x1b[31m <38>Nov 24 04:05:06 h sshd[1]: x",
        "/bin/echo caf\udce9",
    ],
)
@pytest.mark.parametrize("problem", ["", "user NOT in sudoers ; "])
def test_all_that_follows_the_first_command_is_the_command(problem: str, command: str) -> None:
    event = event_of("sudo", f"mallory : {problem}TTY=pts/3 ; PWD=/tmp ; USER=root ; COMMAND={command}")
    assert event["process_command_line"] == command.encode("utf-8", "surrogateescape").decode(
        "utf-8", "backslashreplace"
    )
    assert (event["user_name"], event["user_effective_name"]) == ("mallory", "root")
    assert event["event_outcome"] == ("failure" if problem else "success")


@pytest.mark.parametrize("directory", ["/tmp/x ; USER=nobody", "/tmp/x ; y", "/tmp/a;b", "/tmp/USER=nobody"])
def test_a_directory_hides_no_user(directory: str) -> None:
    event = event_of("sudo", f"mallory : TTY=pts/3 ; PWD={directory} ; USER=root ; COMMAND=/bin/sh")
    assert (event["user_effective_name"], event["process_command_line"]) == ("root", "/bin/sh")


def test_an_environment_hides_no_user() -> None:
    event = event_of("sudo", "mallory : PWD=/ ; USER=root ; ENV=A=1 ; USER=nobody ; COMMAND=/bin/sh")
    assert event["user_effective_name"] == "root"
    assert event["extra"]["sudo.env"] == "A=1 ; USER=nobody"


@pytest.mark.parametrize("user", ["alice", "EXAMPLE\\alice", "alice@example.net", "two words", "a=b", '"q"'])
def test_callers(user: str) -> None:
    assert event_of("sudo", f"{user} : {WHERE}")["user_name"] == user


@pytest.mark.parametrize("order", ["TTY=t ; PWD=/p ; USER=u", "USER=u ; TTY=t ; PWD=/p", "PWD=/p ; USER=u ; TTY=t"])
def test_the_order_does_not_matter(order: str) -> None:
    event = event_of("sudo", f"alice : {order} ; GROUP=g ; COMMAND=/bin/id")
    assert (event["user_effective_name"], event["process_working_directory"]) == ("u", "/p")
    assert event["extra"] == {"sudo.tty": "t", "group.name": "g"}


@pytest.mark.parametrize("command", ["x ; USER=nobody ; COMMAND=y", '"}}}', "\x00\x1b[31m", "a=b;c", "{" * 99])
def test_all_arguments_of_a_record_are_the_command(command: str) -> None:
    record = {"submituser": "mallory", "runuser": "root", "runargv": ["sh", "-c", command]}
    event = event_of("sudo", "@cee:" + json.dumps({"sudo": {"reject": record}}))
    assert (event["user_name"], event["user_effective_name"]) == ("mallory", "root")
    assert event["process_command_line"] == f"sh -c {command}"


@pytest.mark.parametrize("value", [None, 7, [], {}, [1], {"a": [{}]}, "", True, 1e300, "x" * 9999])
@pytest.mark.parametrize("member", ["submituser", "runuser", "command", "runargv", "submit_time", "exit_value"])
def test_a_record_may_hold_anything(member: str, value: object) -> None:
    event = event_of("sudo", "@cee:" + json.dumps({"sudo": {"accept": {"submitcwd": "/srv", member: value}}}))
    assert (event["process_working_directory"], event["event_outcome"]) == ("/srv", "success")


@pytest.mark.parametrize("message", ["", "x", ":", "COMMAND=/bin/sh", "something else entirely"])
def test_what_sudo_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("sudo", message)["event_dataset"] == "syslog.unparsed"
