"""Tests the parser of shadow-utils: who was changed and by whom, and names that look like messages."""

import pytest
from parsing import attempt_of, event_of


@pytest.mark.parametrize(
    ("program", "message", "types", "outcome"),
    [
        ("useradd", "new user: name=a, UID=1, GID=1, home=/, shell=/bin/sh", ["user", "creation"], "success"),
        ("useradd", "failed adding user 'a', exit code: 9", ["user", "creation"], "failure"),
        ("useradd", "new group: name=a, GID=1", ["group", "creation"], "success"),
        ("useradd", "failed to reset the lastlog entry of UID 5: x", ["user", "info"], "failure"),
        ("usermod", "add 'a' to group 'b'", ["user", "change"], "success"),
        ("usermod", "change user 'a' GID from '1' to '2'", ["user", "change"], "success"),
        ("usermod", "lock user 'a' password", ["user", "change"], "success"),
        ("userdel", "delete user 'a'", ["user", "deletion"], "success"),
        ("userdel", "cannot open /etc/passwd", ["user", "info"], "failure"),
        ("groupdel", "group 'a' removed", ["group", "deletion"], "success"),
        ("gpasswd", "a failed to change password of group b", ["group", "change"], "failure"),
        ("/usr/sbin/useradd", "new group: name=a, GID=1", ["group", "creation"], "success"),
    ],
)
def test_what_was_changed(program: str, message: str, types: list[str], outcome: str) -> None:
    event = event_of(program, message)
    assert (event["event_category"], event["event_type"], event["event_outcome"]) == (["iam"], types, outcome)


@pytest.mark.parametrize(
    ("message", "actor", "target", "group"),
    [
        ("user bob added by root to group wheel", "root", "bob", "wheel"),
        ("user bob removed by alice from group wheel in /etc/group", "alice", "bob", "wheel"),
        ("password for 'bob' changed by 'root'", "root", "bob", None),
        ("password for 'bob' changed by user 'root'", "root", "bob", None),
        ("alice failed to remove user bob from group wheel", "alice", "bob", "wheel"),
        ("add 'bob' to shadow group 'wheel'", "bob", "bob", "wheel"),
        ("delete user 'bob'", "bob", "bob", None),
        ("password of group wheel removed by alice", "alice", None, "wheel"),
        ("group 'wheel' removed", None, None, "wheel"),
        ("delete user `bob'#012", "bob", "bob", None),
        ("add member bob to group wheel by root", "root", "bob", "wheel"),
        ("remove member bob from group wheel by root", "root", "bob", "wheel"),
        ("change the password for group wheel by root", "root", None, "wheel"),
        ("remove password from group wheel by root", "root", None, "wheel"),
        ("restrict access to group wheel by root", "root", None, "wheel"),
        ("set members of wheel to bob", None, None, "wheel"),
        ("change group `wheel' to `admins'", None, None, "wheel"),
        ("change GID for 'wheel' to 77", None, None, "wheel"),
        ("group changed in /etc/gshadow (group wheel, new name: x)", None, None, "wheel"),
        ("failed to change /etc/group (group wheel/50, new gid: 60)", None, None, "wheel"),
        ("failed to add group wheel to /etc/group", None, None, "wheel"),
        ("failed to add user bob to /etc/passwd", "bob", "bob", None),
        ("failed to remove group wheel from /etc/group", None, None, "wheel"),
        ('failed to reset the tallylog entry of user "bob"', "bob", "bob", None),
        ("now < minimum age for 'bob'", "bob", "bob", None),
        ("root is not authorized by SELinux to change the password of bob", "bob", "bob", None),
        ("passwd: can't view or modify password information for bob", "bob", "bob", None),
        ("can't change shell for 'bob'", "bob", "bob", None),
    ],
)
def test_the_caller_is_the_user_and_else_the_one_that_is_named(
    message: str, actor: str | None, target: str | None, group: str | None
) -> None:
    event = event_of("gpasswd", message)
    assert (event.get("user_name"), event.get("user_target_name"), event.get("group_name")) == (actor, target, group)


@pytest.mark.parametrize(
    "name",
    ["two words", "a=b", "x; y", 'q"q', "UID=0", "\x1b[31m", "caf\u00e9", " to group "],
)
def test_a_name_is_no_message(name: str) -> None:
    event = event_of("useradd", f"new user: name={name}, UID=1503, GID=7, home=/h, shell=/bin/sh, from=/dev/pts/1")
    assert (event["user_target_name"], event["user_id"], event["extra"]["group.id"]) == (name, "1503", "7")
    assert event_of("usermod", f"add '{name}' to group 'users'")["group_name"] == "users"


def test_a_member_names_its_group() -> None:
    event = event_of("gpasswd", "user bob added by root to group wheel")
    assert event["extra"]["user.target.group.name"] == "wheel"
    assert event["event_type"] == ["user", "change"]


def test_a_shell_hides_no_user() -> None:
    event = event_of("usermod", "change user 'mallory' shell from '/bin/sh' to '/x user root'")
    assert event["user_target_name"] == "mallory"
    assert event["extra"]["shadow.new"] == "/x user root"


@pytest.mark.parametrize(
    "message", ["incorrect password for 'bob'", "password for 'bob' changed by 'bob'", "change user 'bob' password"]
)
def test_nothing_is_an_attempt(message: str) -> None:
    """A password asked before a change lets nobody in; its user is logged in already."""
    assert attempt_of("passwd", message)[0] == 0


@pytest.mark.parametrize("message", ["", "x", "new user: name=", "delete", "user x went home", "change user 'a"])
def test_what_changes_nobody_is_not_understood(message: str) -> None:
    event = event_of("userdel", message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event
