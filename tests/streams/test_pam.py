"""Tests the parser of PAM lines under any program: none is an attempt; names that look like hosts."""

import pytest
from parsing import attempt_of, event_of

FAILURE = "authentication failure; logname= uid=0 euid=0 tty=ftp ruser={} rhost=203.0.113.66"
NAMES = (
    "root",
    "x rhost=192.0.2.99",
    "x rhost=192.0.2.99  user=root",
    "a=b;c",
    '"q"',
    " rhost=",
    "ünï\x00\x1b",
    "two words",
)


@pytest.mark.parametrize(
    "message",
    [
        "pam_unix(gdm-password:auth): authentication failure; logname= uid=0 euid=0 tty=:0 ruser= rhost=  user=alice",
        "pam_unix(gdm-password:session): session opened for user alice(uid=1000) by (uid=0)",
        "pam_sss(gdm-password:auth): authentication success; logname= uid=0 euid=0 tty=:0 ruser= rhost= user=alice",
        "in openpam_dispatch(): pam_opendirectory.so: authentication error",
        "Successful Duo login for 'alice' from 192.0.2.10",
        "pam_faillock(gdm-password:auth): Consecutive login failures for user alice account temporarily locked",
        "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=:0 ruser= rhost=  user=alice",
    ],
)
def test_no_line_is_an_attempt(message: str) -> None:
    assert attempt_of("gdm-password]", message)[0] == 0


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("CRON", "pam_unix(cron:session): session opened for user root by (uid=0)"),
        ("/usr/sbin/CRON", "pam_unix(cron:session): session opened for user root(uid=0) by root(uid=0)"),
        ("cron", "pam_unix(cron): session opened for user root by (uid=0)"),
        ("xdm", "(pam_unix) session opened for user root by (uid=0)"),
        ("sshd", "pam_unix(sshd:session): session opened for user root by (uid=0)"),
        ("sshd-session", "(pam_unix) session opened for user root by (uid=0)"),
        ("su", "pam_unix(su-l:session): session opened for user root by alice(uid=1000)"),
        ("sudo", "pam_unix(sudo-i:session): session opened for user root by alice(uid=0)"),
    ],
)
def test_a_session_of_any_program(program: str, message: str) -> None:
    event = event_of(program, message)
    assert event["event_category"] == ["session"]
    assert (event["event_action"], event["event_outcome"]) == ("session_opened", "success")
    assert (event["user_name"], event["user_effective_name"]) in (("root", "root"), ("alice", "root"))


@pytest.mark.parametrize("name", NAMES)
def test_a_tried_name_hides_no_host_from_pam_unix(name: str) -> None:
    event = event_of("ftpd", "pam_unix(ftpd:auth): " + FAILURE.format(name))
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_tried_name_hides_no_host_from_other_modules(name: str) -> None:
    event = event_of("ftpd", f"pam_sss(ftpd:auth): {FAILURE.format(name)} user={name}")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_after_the_host_is_all_name(name: str) -> None:
    event = event_of("sshd", f"pam_sss(sshd:auth): {FAILURE.format('').replace('ftp', 'ssh')} user={name}")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", name)


_LOGIN = "authentication failure; logname= uid=0 euid=0 tty=tty1 ruser= rhost=203.0.113.66"
_FTP = "authentication failure; logname= uid=0 euid=0 tty=/dev/ftpd7 ruser={0} rhost=203.0.113.66"
_FORGED = (
    "x rhost=198.51.100.66",
    "x rhost=198.51.100.66 ",
    "x rhost=198.51.100.66  user=root",
    "x rhost=198.51.100.66 user=x",
    " rhost=198.51.100.66  user=",
    "a rhost=198.51.100.66  user=a",
    "q rhost=203.0.113.66 rhost=198.51.100.66  user=q",
    "x ruser=y rhost=198.51.100.66  user=y",
    "x uid=5 euid=5 tty=ssh ruser= rhost=198.51.100.66",
)


@pytest.mark.parametrize("name", _FORGED)
@pytest.mark.parametrize("module", ["pam_unix", "pam_sss", "pam_ldap"])
@pytest.mark.parametrize("program", ["login", "sshd", "vsftpd", "dovecot", "postgres"])
def test_a_name_after_the_host_forges_none(program: str, module: str, name: str) -> None:
    """pam_unix gives it for users that there are, and with `audit` for all."""
    event = event_of(program, f"{module}({program}:auth): {_LOGIN}  user={name}")
    assert (event["source_ip"], event["user_name"].strip()) == ("203.0.113.66", name.strip())


@pytest.mark.parametrize("name", _FORGED)
@pytest.mark.parametrize(
    ("module", "tail"),
    [("pam_unix", ""), ("pam_unix", "  user={0}"), ("pam_sss", " user={0}"), ("pam_ldap", " user={0}")],
)
def test_a_name_on_both_sides_of_the_host_forges_none(module: str, tail: str, name: str) -> None:
    """Only pam_unix leaves the user out, so that its line may be read in two ways: then it has no host."""
    event = event_of("proftpd", f"{module}(proftpd:auth): {(_FTP + tail).format(name)}")
    told = event.get("source_ip"), event.get("user_name", "").strip()
    assert told in (("203.0.113.66", name.strip()), (None, ""))
    if module != "pam_unix" and not name.endswith(" "):
        assert told[0] == "203.0.113.66"


@pytest.mark.parametrize("name", _FORGED)
def test_a_name_before_the_host_forges_none(name: str) -> None:
    """pam_krb5 of Debian gives the tried name as logname."""
    message = f"authentication failure; logname={name} uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.66"
    event = event_of("sshd", f"pam_krb5(sshd:auth): {message}")
    assert event["source_ip"] == "203.0.113.66"
    assert event.get("user_name") in (name, None)


def test_two_names_that_a_client_chooses_leave_no_host() -> None:
    message = "authentication failure; logname= uid=0 euid=0 tty=rlogin ruser=x rhost=198.51.100.66 rhost=203.0.113.66"
    event = event_of("rlogind", f"pam_unix(rlogin:auth): {message}  user=root")
    assert "source_ip" not in event
    assert "user_name" not in event


@pytest.mark.parametrize("host", ["", "host.example.org", "2001:db8::1"])
def test_hosts(host: str) -> None:
    event = event_of(
        "su", f"pam_unix(su:auth): authentication failure; logname=a uid=1 euid=0 tty=t ruser=a rhost={host}"
    )
    assert event.get("source_ip") == (host if ":" in host else None)
    assert event["user_name"] == "a"


def test_a_changed_password_names_its_user() -> None:
    event = event_of("passwd", "pam_unix(passwd:chauthtok): password changed for alice")
    assert (event["user_target_name"], event["user_name"], event["event_category"]) == ("alice", "alice", ["iam"])


@pytest.mark.parametrize("message", ["", "pam_", "pam_unix", "pam_unix(x", "(pam_unix)", "PAM", "PAM x", "hello"])
def test_what_pam_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("gdm-password", message)["event_dataset"] == "syslog.unparsed"
