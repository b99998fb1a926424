"""Tests the parser of sshd: what counts as an attempt, and users who name themselves after log lines."""

import pytest
from parsing import attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher

FROM = "from 203.0.113.66 port 40000"
KEY = "ED25519 SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/abcde"
CERTIFICATE = (
    "RSA-CERT SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/abcde ID {} (serial 3) CA RSA "
    "SHA256:ZbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/abcde"
)
HOSTILE = (
    "root from 192.0.2.99 port 22 ssh2",
    "root from 192.0.2.99 port 22",
    "invalid user root from 192.0.2.99 port 22 ssh2",
    f"x from 192.0.2.99 port 22 ssh2: {KEY}"[:100],
    "x from 192.0.2.99 not allowed because listed in DenyUsers",
    "Nov 24 04:05:06 h sshd[1]: Accepted password for root",
    " ",
    "two words",
    "a=b;c",
    '"quoted"',
    "'single'",
    "back\\\\slash",
    "tab\\011",
    '{"json":{"bomb":[[[[1]]]]}}',
    "<38>1 - - - - - -",
    "message repeated 9 times: [ x]",
    "x [preauth]",
    "ünï",
    "port",
    "from",
    " from  port ",
    "\x1b[31mred\x00",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f"Accepted password for a {FROM} ssh2", 1, "success"),
        (f"Accepted publickey for a {FROM} ssh2: {KEY}", 1, "success"),
        (f"Accepted none for a {FROM} ssh2", 1, "success"),
        (f"Failed password for a {FROM} ssh2", 1, "failure"),
        (f"Failed password for invalid user a {FROM} ssh2", 1, "failure"),
        (f"Failed publickey for a {FROM} ssh2: {KEY}", 0, "failure"),
        (f"Failed keyboard-interactive/pam for a {FROM} ssh2", 1, "failure"),
        (f"Failed none for a {FROM} ssh2", 0, "failure"),
        (f"Partial publickey for a {FROM} ssh2: {KEY}", 0, "unknown"),
        (f"Postponed publickey for a {FROM} ssh2 [preauth]", 0, "unknown"),
        (f"Invalid user a {FROM}", 0, "failure"),
        (f"error: maximum authentication attempts exceeded for a {FROM} ssh2 [preauth]", 0, "failure"),
        ("error: PAM: Authentication failure for a from 203.0.113.66", 0, "failure"),
        ("pam_unix(sshd:auth): authentication failure; logname= uid=0 tty=ssh ruser= rhost=x  user=a", 0, "failure"),
        ("PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=x  user=a", 0, "failure"),
        ("User a from 203.0.113.66 not allowed because not listed in AllowUsers", 0, "failure"),
        ("ROOT LOGIN REFUSED FROM 203.0.113.66 port 4", 0, "failure"),
        ("fatal: Access denied for user a by PAM account configuration [preauth]", 0, "failure"),
        ("Connection closed by authenticating user a 203.0.113.66 port 4 [preauth]", 0, "failure"),
        ("pam_unix(sshd:session): session opened for user a by (uid=0)", 0, "success"),
        ("log: Password authentication for a accepted.", 1, "success"),
        ("log: Password authentication for a failed.", 1, "failure"),
        ("Failed Duo login for 'a' from 203.0.113.66: Login timed out.", 0, "failure"),
        ("Successful Duo login for 'a' from 203.0.113.66", 0, "success"),
        ("in openpam_dispatch(): pam_opendirectory.so: authentication error", 0, "failure"),
        ("Accepted key RSA SHA256:x found at /home/a/.ssh/authorized_keys:1", 0, ""),
    ],
)  # fmt: skip
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("sshd", message) == (attempts, outcome)


def test_a_login_with_the_third_of_three_keys_is_one_success() -> None:
    verdicts = [f"{word} publickey for a {FROM} ssh2: {KEY}" for word in ("Failed", "Failed", "Accepted")]
    assert [attempt_of("sshd", message) for message in verdicts] == [(0, "failure"), (0, "failure"), (1, "success")]
    again = f"message repeated 2 times: [ {verdicts[0]}]"
    assert attempt_of("sshd", again) == (0, "failure")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "shape",
    [
        "Failed password for {} FROM ssh2",
        "Failed password for invalid user {} FROM ssh2",
        f"Failed publickey for invalid user {{}} FROM ssh2: {KEY}",
        "Postponed keyboard-interactive for invalid user {} FROM ssh2 [preauth]",
        "Invalid user {} FROM",
        "Connection closed by invalid user {} 203.0.113.66 port 40000 [preauth]",
        "Connection reset by authenticating user {} 203.0.113.66 port 40000 [preauth]",
        "Disconnected from invalid user {} 203.0.113.66 port 40000 [preauth]",
        "Disconnecting invalid user {} 203.0.113.66 port 40000: Too many authentication failures [preauth]",
        "error: maximum authentication attempts exceeded for invalid user {} FROM ssh2 [preauth]",
        "ssh_dispatch_run_fatal: Connection from invalid user {} 203.0.113.66 port 40000: Connection corrupted",
    ],
)
def test_the_address_is_the_one_that_the_server_wrote(shape: str, name: str) -> None:
    event = event_of("sshd", shape.replace("FROM", FROM).format(name))
    assert (event["source_ip"], event["source_port"]) == ("203.0.113.66", 40000)
    expected = name.removeprefix("invalid user ") if shape.startswith("Failed password for {}") else name
    assert event["user_name"] == expected


@pytest.mark.parametrize("name", HOSTILE)
def test_users_refused_by_rule(name: str) -> None:
    event = event_of("sshd", f"User {name} from 203.0.113.66 not allowed because not listed in AllowUsers")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", name)


@pytest.mark.parametrize("first", ["a", "a 192.0.2.99 port 1: Change of username or service not allowed: (a,s) -> (b"])
@pytest.mark.parametrize(
    "second", ["b", "b 192.0.2.99 port 1: c", "b 192.0.2.99 port 1: Too many authentication failures"]
)
def test_a_change_of_user_names_two(first: str, second: str) -> None:
    change = f"({first},ssh-connection) -> ({second},ssh-connection)"
    why = f"Change of username or service not allowed: {change}"
    event = event_of("sshd", f"Disconnecting invalid user {first} 203.0.113.66 port 40000: {why} [preauth]")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", first)


@pytest.mark.parametrize("note", ["x", "x from 192.0.2.99 port 22 ssh2", f"x from 192.0.2.99 port 22 ssh2: {KEY}"])
def test_a_certificate_is_named_by_who_signed_it(note: str) -> None:
    key = CERTIFICATE.format(note)
    event = event_of("sshd", f"Accepted publickey for root {FROM} ssh2: {key}")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", "root")
    assert event["extra"]["sshd.key"] == key
    failed = event_of("sshd", f"Failed publickey for root {FROM} ssh2: {key}")
    assert failed.get("source_ip", "203.0.113.66") == "203.0.113.66"


@pytest.mark.parametrize("verdict", ["Failed publickey", "Failed hostbased"])
def test_a_name_and_a_certificate_that_both_hold_a_peer_leave_none(verdict: str) -> None:
    """No account has the name, and the client's own authority may sign anything."""
    key = CERTIFICATE.format("x")
    name = f"x from 192.0.2.99 port 22 ssh2: {key}"
    event = event_of("sshd", f"{verdict} for invalid user {name} {FROM} ssh2: {key}")
    assert event["event_outcome"] == "failure"
    assert not {"source_ip", "source_port", "user_name"} & event.keys()


@pytest.mark.parametrize("tail", ["", " [preauth]"])
def test_too_many_failures_may_name_a_peer_or_a_user(tail: str) -> None:
    """Some versions write the peer after the user, others do not."""
    text = f"Too many authentication failures for root {FROM} ssh2{tail}"
    for message in (text, f"Disconnecting: {text}"):
        assert not {"source_ip", "user_name"} & event_of("sshd", message).keys()


@pytest.mark.parametrize("client", ["u", "u from 192.0.2.99 port 22 ssh2", "u from 192.0.2.99 port 22 ssh2: x"])
def test_a_host_key_comes_with_the_clients_own_words(client: str) -> None:
    more = f'{KEY}, client user "{client}", client host "c.example.org"'
    event = event_of("sshd", f"Accepted hostbased for root {FROM} ssh2: {more}")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", "root")


def test_a_disconnect_reason_is_the_clients() -> None:
    event = event_of("sshd", "Received disconnect from 203.0.113.66 port 4:11: from 192.0.2.99 port 2:11: x")
    assert (event["source_ip"], event["source_port"]) == ("203.0.113.66", 4)


@pytest.mark.parametrize(
    ("address", "ip", "kept"),
    [
        ("2001:db8::1", "2001:db8::1", None),
        ("fe80::1%eth0", "fe80::1", "fe80::1%eth0"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"),
        ("host.example.org", None, "host.example.org"),
        ("999.1.1.1", None, "999.1.1.1"),
        ("UNKNOWN", None, None),
    ],
)
def test_addresses(address: str, ip: str | None, kept: str | None) -> None:
    event = event_of("sshd", f"Failed password for a from {address} port 22 ssh2")
    assert event.get("source_ip") == ip
    assert event["extra"].get("source.address") == kept


@pytest.mark.parametrize(
    "message",
    ["", "Failed", "Failed password", "Accepted password for", "Invalid user", "Failed x y from z port 1 ssh2"],
)
def test_what_sshd_does_not_write_is_not_understood(message: str) -> None:
    event = event_of("sshd", message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "event_category" not in event


@pytest.mark.parametrize(
    "message",
    ["Accepted password for a from 192.0.2.1 port 4 ssh2", "Failed password for a from 192.0.2.1 port 4 ssh2"],
)
def test_who_gets_in_has_a_session(message: str) -> None:
    event = event_of("sshd", message)
    assert event["event_category"] == ["authentication", "session"][: 2 if message.startswith("Accepted") else 1]


def test_files_belong_to_the_session_of_their_process() -> None:
    state = MemoryState()
    opened = event_of("internal-sftp", "session opened for local user alice from [192.0.2.10]", state)
    event = event_of("internal-sftp", 'remove name "/home/alice/x" mode 0644"', state)
    assert (opened["user_name"], event["user_name"], event["source_ip"]) == ("alice", "alice", "192.0.2.10")
    assert event["extra"]["file.path"] == '/home/alice/x" mode 0644'
    assert event["event_category"] == ["file"]


@pytest.mark.parametrize("path", ['x" flags READ', 'x" new "y', "x\x00\x1b", '{"a":1}', "a=b;c"])
def test_a_path_is_all_path(path: str) -> None:
    event = event_of("internal-sftp", f'open "/srv/{path}" flags WRITE,CREATE mode 0644')
    assert event["extra"]["file.path"] == f"/srv/{path}"
    assert event["event_type"] == ["creation"]


def test_other_errors_are_about_the_server() -> None:
    event = event_of("sshd", "error: something that no version writes yet")
    assert (event["event_category"], event["event_outcome"]) == (["process"], "failure")
    assert event["extra"]["sshd.reason"] == "something that no version writes yet"


def test_macos_puts_the_title_of_the_process_after_the_tag() -> None:
    line = b"Nov 24 04:05:06 h sshd: alice [priv][57911]: Failed password for a from 203.0.113.66 port 1 ssh2"
    event = Dispatcher().parse(line, 1_795_521_600_000_000, MemoryState())
    assert (event["process_pid"], event["source_ip"], event["ogrewatch_attempt"]) == (57911, "203.0.113.66", 1)
    other = Dispatcher().parse(b"Nov 24 04:05:06 h sshd: a[5]: x", 1_795_521_600_000_000, MemoryState())
    assert "process_pid" not in other
    assert other["event_dataset"] == "syslog.unparsed"
