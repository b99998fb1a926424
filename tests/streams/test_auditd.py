"""Tests the parser of auditd: what records mean, which belong together, and names that look like fields."""

import pytest
from parsing import attempt_of, event_of

from streams.auditd.values import fields_of, socket_of, text_of
from streams.base import MemoryState
from topics.event import Event

SYSCALL = (
    "type=SYSCALL msg=audit(1795500000.5:{}): arch=c000003e syscall={} success=no exit=-13 ppid=1 pid=44 auid=1000 "
    'uid=1000 euid=0 comm="cat" exe="/usr/bin/cat" key="k"\x1dAUID="alice" UID="alice" EUID="root"'
)
SAID = "type={} msg=audit(1795500001.000:7): pid=9 uid=0 auid=4294967295 ses=4294967295 msg='{}'"
LOGIN = 'op=login acct="root" exe="/usr/sbin/sshd" hostname=? addr=203.0.113.66 terminal=ssh res={}'


def record(text: str, state: MemoryState | None = None) -> Event:
    return event_of("audispd", text, state)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("USER_AUTH", "failure"), ("USER_LOGIN", "failure"), ("USER_LOGIN", "success"), ("USER_ACCT", "success"),
     ("CRED_ACQ", "success"), ("USER_START", "success"), ("USER_ERR", "failure"), ("USER_CMD", "failure")],
)  # fmt: skip
def test_nothing_is_an_attempt(name: str, outcome: str) -> None:
    """sshd, su, sudo and login log the attempt themselves; up to six records of audit repeat it."""
    text = SAID.format(name, LOGIN.format("success" if outcome == "success" else "failed"))
    assert attempt_of("audispd", text) == (0, outcome)


def test_a_login() -> None:
    event = record(SAID.format("USER_LOGIN", LOGIN.format("failed")))
    assert (event["user_name"], event["source_ip"], event["process_name"]) == ("root", "203.0.113.66", "sshd")
    assert (event["event_category"], event["event_action"]) == (["authentication"], "user_login")
    assert event["timestamp"] == 1_795_500_001_000_000
    assert event["process_pid"] == 9


def test_later_records_know_what_the_call_said() -> None:
    state = MemoryState()
    record(SYSCALL.format(5, 257), state)
    record('type=CWD msg=audit(1795500000.5:5): cwd="/etc/ssh"', state)
    path = record('type=PATH msg=audit(1795500000.5:5): item=0 name="../shadow" nametype=NORMAL', state)
    title = record("type=PROCTITLE msg=audit(1795500000.5:5): proctitle=636174002E2E2F736861646F77", state)
    for event in (path, title):
        assert (event["process_name"], event["process_pid"], event["user_name"]) == ("cat", 44, "alice")
        assert (event["user_effective_name"], event["event_outcome"]) == ("root", "failure")
        assert (event["extra"]["auditd.key"], event["extra"]["auditd.syscall_name"]) == ("k", "openat")
    assert path["extra"]["file.path"] == "/etc/shadow"
    assert title["process_command_line"] == "cat ../shadow"


@pytest.mark.parametrize("serial", ["audit(1795500000.5:6)", "audit(1795500000.6:5)"])
def test_events_are_kept_apart(serial: str) -> None:
    state = MemoryState()
    record(SYSCALL.format(5, 257), state)
    assert "process_name" not in record(f'type=CWD msg={serial}: cwd="/etc"', state)
    assert "process_name" not in record(f'node=other type=CWD msg=audit(1795500000.5:5): cwd="/{serial}"', state)


def test_a_line_parsed_again_says_the_same() -> None:
    state = MemoryState()
    lines = (SYSCALL.format(5, 59), "type=EOE msg=audit(1795500000.5:5): ")
    first = [record(line, state) for line in lines]
    assert [record(line, state) for line in lines] == first


@pytest.mark.parametrize(
    ("call", "end"),
    [(42, ("destination_ip", "egress")), (44, ("destination_ip", "egress")), (43, ("source_ip", "ingress")),
     (47, ("source_ip", "ingress"))],
)  # fmt: skip
def test_the_call_says_which_end_an_address_is(call: int, end: tuple[str, str]) -> None:
    state = MemoryState()
    record(SYSCALL.format(5, call), state)
    event = record("type=SOCKADDR msg=audit(1795500000.5:5): saddr=020001BBCB0071420000000000000000", state)
    assert (event[end[0]], event["network_direction"]) == ("203.0.113.66", end[1])


def test_an_own_address_is_the_servers() -> None:
    state = MemoryState()
    record(SYSCALL.format(5, 49), state)
    event = record("type=SOCKADDR msg=audit(1795500000.5:5): saddr=0200005000000000", state)
    assert (event["extra"]["server.ip"], event["extra"]["server.port"]) == ("0.0.0.0", 80)


@pytest.mark.parametrize(
    ("saddr", "meaning"),
    [
        ("02000035C00002010000000000000000", ("inet", "192.0.2.1", "53", "")),
        ("0A0000500000000020010DB800000000000000000000000100000000", ("inet6", "2001:db8::1", "80", "")),
        ("01002F6465762F6C6F6700", ("unix", "", "", "/dev/log")),
        ("0100002F746D702F78", ("unix", "", "", "@/tmp/x")),
        ("1000000000000000", ("netlink", "", "", "")),
        ("0200", ("inet", "", "", "")),
        ("020", None),
        ("FFFF00", None),
        ("zz00", None),
    ],
)
def test_socket_addresses(saddr: str, meaning: tuple[str, str, str, str] | None) -> None:
    assert socket_of(saddr) == meaning


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"root"', "root"), ("28756E6B6E6F776E207573657229", "(unknown user)"), ("6C73002D6C00", "ls -l"),
        ("636166C3A9", "café"), ("FF20", "\\xff "), ("CAFE", "\\xca\\xfe"), ("616263", "616263"), ("cafe", "cafe"),
        ("22", '"'), ("1", "1"), ("root", "root"), ('"', ""), ('"a', "a"), ("", ""),
    ],
)  # fmt: skip
def test_texts(value: str, text: str) -> None:
    """Only what had to be is encoded: letters that look like it are what they are."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    "name",
    ["a addr=198.51.100.1 res=success", "x' addr=198.51.100.1", '" res=success "', "two words", "a\nb\x1dUID=0", "é=1"],
)
def test_a_name_in_hexadecimal_is_no_field(name: str) -> None:
    said = LOGIN.format("failed").replace('"root"', name.encode().hex().upper())
    event = record(SAID.format("USER_LOGIN", said))
    assert (event["user_name"], event["source_ip"], event["event_outcome"]) == (name, "203.0.113.66", "failure")


@pytest.mark.parametrize("name", ["uid=0,res=success", "'res=success;'", "#035UID=root", "msg=audit(1.2:3):", "{}[]"])
def test_a_name_in_quotes_is_no_field(name: str) -> None:
    event = record(SAID.format("USER_LOGIN", LOGIN.format("failed").replace("root", name)))
    assert (event["user_name"], event["source_ip"], event["event_outcome"]) == (name, "203.0.113.66", "failure")
    assert event["extra"]["auditd.uid"] == "0"


def test_a_programs_words_do_not_replace_the_kernels() -> None:
    event = record(SAID.format("USER_CMD", 'cwd="/" cmd="id" uid=33 pid=1 terminal=pts/0 res=success'))
    assert (event["user_id"], event["process_pid"]) == ("0", 9)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("res=1", "success"), ("res=0", "failure"), ("res=failed", "failure"), ("success=yes", "success"),
     ("success=no", "failure"), ("avc:  denied  { read } for  pid=1", "failure"), ("a=1", None),
     ("avc:  granted  { read } for  pid=1", "success"), ('apparmor="DENIED"', "failure"), ("res=maybe", None),
     ('apparmor="STATUS"', None)],
)  # fmt: skip
def test_outcomes(text: str, outcome: str | None) -> None:
    assert record(f"type=AVC msg=audit(1795500001.0:7): {text}").get("event_outcome") == outcome


@pytest.mark.parametrize(
    ("added", "actor", "target"),
    [("", "jdoe", "jdoe"), ('\x1dUID="root" AUID="alice"', "alice", "jdoe"), ('#035AUID="alice"', "alice", "jdoe"),
     ('\x1dUID="root" AUID="unset"', "jdoe", "jdoe")],
)  # fmt: skip
def test_who_added_a_user(added: str, actor: str, target: str) -> None:
    event = record(SAID.format("ADD_USER", 'op=adding user acct="jdoe" res=success') + added)
    assert (event["user_name"], event["user_target_name"]) == (actor, target)
    assert (event["event_category"], event["event_type"]) == (["iam"], ["user", "creation"])
    assert event["extra"]["auditd.op"] == "adding user"


@pytest.mark.parametrize("value", ["4294967295", "-1"])
def test_a_number_of_nobody_is_left_out(value: str) -> None:
    assert "auid" not in fields_of(f"pid=1 auid={value} exit=-1")
    assert fields_of(f"auid={value} exit=-1")["exit"] == "-1"


def test_arguments_in_pieces() -> None:
    event = record('type=EXECVE msg=audit(1795500001.0:7): argc=3 a0="x" a1_len=8 a1[0]=6162 a1[1]=6220 a2="c"')
    assert event["extra"]["process.args"] == ["x", "abb ", "c"]
    assert event["process_command_line"] == "x abb  c"


@pytest.mark.parametrize(
    ("program", "message", "name"),
    [
        ("kernel", "audit: type=1400 audit(1795500001.0:7): avc:  denied  { x } for  pid=1", "AVC"),
        ("kernel", "[    1.5] audit: type=1400 audit(1795500001.0:7): avc:  denied  { x } for  pid=1", "AVC"),
        ("audit", "USER_AUTH pid=1 uid=0 msg='op=x acct=\"a\" res=success'", "USER_AUTH"),
        ("audit", "type=1112 audit(1795500001.0:7): pid=1", "USER_LOGIN"),
        ("audisp-syslog", "type=UNKNOWN[1420] msg=audit(1795500001.0:7): x=1", "1420"),
        ("audispd", "type=NEW_ONE msg=audit(1795500001.0:7): x=1", "NEW_ONE"),
    ],
)
def test_forms(program: str, message: str, name: str) -> None:
    event = event_of(program, message)
    assert (event["event_dataset"], event["extra"]["auditd.record_type"]) == ("auditd", name)


@pytest.mark.parametrize("message", ["", "x", "type=", "type=SYSCALL", "usb 1-1: new device", "NOSUCH a=1", "node=a",
     "Unable to handle kernel NULL pointer dereference", "TEST a=1", "Error: audit"])  # fmt: skip
def test_what_is_no_record_is_not_understood(message: str) -> None:
    event = event_of("kernel", message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event


@pytest.mark.parametrize(
    ("operation", "types", "target", "group"),
    [
        ("adding group to /etc/group", ["group", "change"], None, "5"),
        ("add-user-to-group", ["user", "change"], "5", None),
        ("changing password", ["user", "change"], "5", None),
    ],
)
def test_the_operation_says_what_was_changed(
    operation: str, types: list[str], target: str | None, group: str | None
) -> None:
    event = record(SAID.format("USER_CHAUTHTOK", f"op={operation} id=5 res=success"))
    assert event["event_type"] == types
    assert (event["extra"].get("user.target.id"), event["extra"].get("group.id")) == (target, group)


@pytest.mark.parametrize(("operation", "kind"), [("start", "start"), ("stop", "end"), ("pause", "info")])
def test_machines(operation: str, kind: str) -> None:
    event = record(SAID.format("VIRT_CONTROL", f'virt=kvm op={operation} vm="m" res=success'))
    assert (event["event_category"], event["event_type"]) == (["host"], [kind])


@pytest.mark.parametrize(
    "message",
    ["audit: backlog limit exceeded", "[    1.5] audit: audit_lost=3 audit_rate_limit=0 audit_backlog_limit=64",
     "audit: audit_backlog=65 > audit_backlog_limit=64", "audit: kauditd hold queue overflow"],
)  # fmt: skip
def test_the_kernel_says_that_records_were_lost(message: str) -> None:
    event = event_of("kernel", message)
    assert (event["event_dataset"], event["event_outcome"], event["process_name"]) == ("auditd", "failure", "kernel")


@pytest.mark.parametrize(
    ("name", "added"), [("x", ""), ("x UID=", ""), ("UID=", ""), ("x", 'AUID="mallory" '), ("x", "\x1d"), ("x", "#035")]
)
def test_added_names_are_found_without_their_separator_too(name: str, added: str) -> None:
    record = f'type=SYSCALL msg=audit(1795496706.5:7): pid=7 uid=1000 comm="{name}" key=(null){added}UID="alice"'
    event = event_of("audispd", record)
    assert (event["user_name"], event["process_name"]) == ("alice", name)
    assert "auditd.key" not in event["extra"]


@pytest.mark.parametrize("count", ["1", "²", "x", ""])
def test_a_command_without_words(count: str) -> None:
    event = record(f'type=EXECVE msg=audit(1795500042.000:63): argc={count} a0="')
    assert "process_command_line" not in event
    assert event["extra"]["process.args"] == [""]
