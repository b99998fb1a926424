"""Tests a table of syslog headers in every dialect that relays and devices write."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_checks import check_event

from streams.syslog.headers import Headers

NOW = datetime(2026, 11, 24, 4, 5, 10, tzinfo=UTC)
RECEIVED = int(NOW.timestamp()) * 1_000_000
AT = "2026-11-24T03:05:06"  # four o'clock in Berlin
UTC_AT = "2026-11-24T04:05:06"
HEADERS = Headers("Europe/Berlin", {"su", "sshd"})
RECEIPT = "2026-11-24T04:05:10"


def read(line: str, zone: str = "Europe/Berlin", now: int = RECEIVED) -> dict[str, Any]:
    """Columns in words: when (ISO, UTC), host, program, pid, pri, message and extra without the zone."""
    event = Headers(zone, {"su", "sshd"}).read(line, now)
    assert event["event_original"] == line
    when = datetime.fromtimestamp(event["timestamp"] // 1_000_000, UTC).replace(tzinfo=None)
    micro = event["timestamp"] % 1_000_000
    extra = {name: value for name, value in event.get("extra", {}).items() if name != "event.timezone"}
    return {
        "when": when.replace(microsecond=micro).isoformat(),
        "host": event.get("host_hostname"),
        "program": event.get("process_name"),
        "pid": event.get("process_pid"),
        "pri": event.get("log_syslog_priority"),
        "message": event["message"],
        "extra": extra,
    }


def columns(when: str, host: str | None, program: str | None, pid: int | None, message: str, **more: Any) -> Any:
    expected = {"when": when, "host": host, "program": program, "pid": pid, "message": message, "pri": None}
    return {**expected, "extra": {}, **more}


BSD = {
    "<38>Nov 24 04:05:06 h.example.net sshd[12]: x": columns(AT, "h.example.net", "sshd", 12, "x", pri=38),
    "Nov 24 04:05:06 h sshd: x": columns(AT, "h", "sshd", None, "x"),
    "Nov  4 04:05:06 h a: x": columns("2026-11-04T03:05:06", "h", "a", None, "x"),
    "Nov 4 04:05:06 h a: x": columns("2026-11-04T03:05:06", "h", "a", None, "x"),
    "Nov 24 04:05:06 2001:db8::1 sshd[1]: x": columns(AT, "2001:db8::1", "sshd", 1, "x"),
    "Nov 24 04:05:06 192.0.2.1 sshd[1]: x": columns(AT, "192.0.2.1", "sshd", 1, "x"),
    "Nov 24 04:05:06.123 h postfix/smtpd[3]: x": columns(AT + ".123000", "h", "postfix/smtpd", 3, "x"),
    "Nov 24 04:05:06 h sudo[1]:    alice : x": columns(AT, "h", "sudo", 1, "   alice : x"),
    "Nov 24 04:05:06 h a[1]:x": columns(AT, "h", "a", 1, "x"),
    "Nov 24 04:05:06 h a:": columns(AT, "h", "a", None, ""),
    "Nov 24 04:05:06 h a:  x: y[2]: z": columns(AT, "h", "a", None, " x: y[2]: z"),
}
MISSING = {
    "<34>Nov 24 04:05:06 su: 'su root' failed": columns(AT, None, "su", None, "'su root' failed", pri=34),
    "<34>Nov 24 04:05:06 sshd[1]: error: x": columns(AT, None, "sshd", 1, "error: x", pri=34),
    "Nov 24 04:05:06 h su 'su root' failed": columns(AT, "h", "su", None, "'su root' failed"),
    "Nov 24 04:05:06 h prog[7] x": columns(AT, "h", "prog", 7, "x"),
    "Nov 24 04:05:06 h last message repeated 3 times": columns(AT, "h", None, None, "last message repeated 3 times"),
    "Nov 24 04:05:06 h prog[abc]: x": columns(AT, "h", "prog", None, "x", extra={"log.syslog.procid": "abc"}),
    "Nov 24 04:05:06 h prog[]: x": columns(AT, "h", "prog", None, "x"),
    "Nov 24 04:05:06": columns(AT, None, None, None, ""),
    "<13>prog: x": columns(RECEIPT, None, "prog", None, "x", pri=13),
    "<13>hello world": columns(RECEIPT, None, None, None, "hello world", pri=13),
    "<13>": columns(RECEIPT, None, None, None, "", pri=13),
    "sshd[12]: x": columns(RECEIPT, None, "sshd", 12, "x"),
}
DIALECTS = {
    "Nov 24 04:05:06 CET h prog[1]: x": columns(AT, "h", "prog", 1, "x"),
    "Nov 24 04:05:06 UTC h prog[1]: x": columns(UTC_AT, "h", "prog", 1, "x"),
    "Nov 24 04:05:06 CET prog: x": columns(AT, None, "prog", None, "x"),
    "Nov 24 04:05:06 MAIL prog: x": columns(AT, "MAIL", "prog", None, "x"),
    "Nov 24 04:05:06 2026 h prog[1]: x": columns(AT, "h", "prog", 1, "x"),
    "Nov 24 2026 04:05:06 h prog: x": columns(AT, "h", "prog", None, "x"),
    "2026 Nov 24 04:05:06 h prog: x": columns(AT, "h", "prog", None, "x"),
    "Tue Nov 24 04:05:06 2026 h prog: x": columns(AT, "h", "prog", None, "x"),
    "Nov 24 2020 04:05:06 h prog: x": columns("2020-11-24T03:05:06", "h", "prog", None, "x"),
    "Nov 24 04:05:06 Message forwarded from aix1: sshd[12]: x": columns(AT, "aix1", "sshd", 12, "x"),
    "Nov 24 04:05:06 <auth.info> bsd sshd[12]: x": columns(AT, "bsd", "sshd", 12, "x", extra={"log.level": "info"}),
    "Nov 24 04:05:06 h /usr/sbin/cron[1]: x": columns(AT, "h", "cron", 1, "x"),
    "Nov 24 04:05:06 <4.6> bsd sshd[12]: x": columns(AT, "bsd", "sshd", 12, "x", pri=38),
    "Nov 24 04:05:06 h auth.info sshd[12]: x": columns(AT, "h", "sshd", 12, "x", extra={"log.level": "info"}),
    "Nov 24 04:05:06 auth.info sshd[12]: x": columns(AT, None, "sshd", 12, "x", extra={"log.level": "info"}),
    "Nov 24 04:05:06 authpriv.warn su: x": columns(AT, None, "su", None, "x", extra={"log.level": "warn"}),
    "Tue Nov 24 04:05:06 2026 auth.info sshd[1]: x": columns(AT, None, "sshd", 1, "x", extra={"log.level": "info"}),
    "2026-11-24 04:05:06.000000+0100  mac sshd[12]: x": columns(AT, "mac", "sshd", 12, "x"),
    "Nov 24 04:05:06 su sshd(pam_unix)[12]: x": columns(AT, "su", "sshd", 12, "pam_unix(sshd): x"),
    "Nov 24 04:05:06 sshd prog[12] x: y": columns(AT, "sshd", "prog", 12, "x: y"),
}
CISCO = {
    "Nov 24 2026 04:05:06 fw01 : %ASA-6-302013: Built": columns(AT, "fw01", None, None, "%ASA-6-302013: Built"),
    "Nov 24 2026 04:05:06: %ASA-6-302013: Built": columns(AT, None, None, None, "%ASA-6-302013: Built"),
    "Nov 24 04:05:06 2001:db8::1 %ASA-6-1: x": columns(AT, "2001:db8::1", None, None, "%ASA-6-1: x"),
    "<189>45: *Nov 24 04:05:06.123 UTC: %SYS-5-CONFIG_I: x": columns(
        UTC_AT + ".123000", None, None, None, "%SYS-5-CONFIG_I: x", pri=189, extra={"event.sequence": 45}
    ),
    "<189>45: sw1: *Nov 24 04:05:06.123: %SYS-5-CONFIG_I: x": columns(
        AT + ".123000", "sw1", None, None, "%SYS-5-CONFIG_I: x", pri=189, extra={"event.sequence": 45}
    ),
    "000045: Nov 24 04:05:06 CET: %LINK-3-UPDOWN: x": columns(
        AT, None, None, None, "%LINK-3-UPDOWN: x", extra={"event.sequence": 45}
    ),
    "Nov 24 04:05:06 fw01: %ASA-6-302013: Built": columns(AT, "fw01", None, None, "%ASA-6-302013: Built"),
    "<166>:Nov 24 04:05:06 CET: %ASA-session-6-302013: Built": columns(
        AT, None, None, None, "%ASA-session-6-302013: Built", pri=166
    ),
    "<166>%ASA-6-302013: Built": columns(RECEIPT, None, None, None, "%ASA-6-302013: Built", pri=166),
    "<189>: 2026 Nov 24 04:05:06 UTC: %ETHPORT-5-IF_UP: x": columns(
        UTC_AT, None, None, None, "%ETHPORT-5-IF_UP: x", pri=189
    ),
    "<189>45: .Nov 24 04:05:06.123 XYZ: %SYS-5-CONFIG_I: x": columns(
        AT + ".123000", None, None, None, "%SYS-5-CONFIG_I: x", pri=189, extra={"event.sequence": 45}
    ),
    "<190>45: RP/0/RSP0/CPU0:Nov 24 04:05:06.123 UTC: exec[7]: %SECURITY-6-LOGIN: x": columns(
        UTC_AT + ".123000", None, "exec", 7, "%SECURITY-6-LOGIN: x", pri=190, extra={"event.sequence": 45}
    ),
    "Nov 24 04:05:06 192.0.2.1 45: Nov 24 04:05:05.5: %SYS-5-CONFIG_I: x": columns(
        "2026-11-24T03:05:05.500000", "192.0.2.1", None, None, "%SYS-5-CONFIG_I: x", extra={"event.sequence": 45}
    ),
    "Nov 24 04:05:06 192.0.2.1 45: *Mar  1 18:46:11: %SYS-5-CONFIG_I: x": columns(
        AT, "192.0.2.1", None, None, "%SYS-5-CONFIG_I: x", extra={"event.sequence": 45}
    ),
    "Nov 24 04:05:06 192.0.2.1 45: sw1: *Mar  1 18:46:11: %SYS-5-CONFIG_I: x": columns(
        AT, "sw1", None, None, "%SYS-5-CONFIG_I: x", extra={"event.sequence": 45}
    ),
    "Nov 24 04:05:07 192.0.2.1 Nov 24 2026 04:05:06 fw01 : %ASA-6-302013: Built": columns(
        AT, "fw01", None, None, "%ASA-6-302013: Built"
    ),
    "<190>45: sw1: 000046: Nov 24 04:05:06: %LINK-3-UPDOWN: x": columns(
        AT, "sw1", None, None, "%LINK-3-UPDOWN: x", pri=190, extra={"event.sequence": 46}
    ),
    "<190>45: 000046: Nov 24 04:05:06: %LINK-3-UPDOWN: x": columns(
        AT, None, None, None, "%LINK-3-UPDOWN: x", pri=190, extra={"event.sequence": 46}
    ),
    "Nov 24 04:05:06 192.0.2.1 45: something: x": columns(AT, "192.0.2.1", "45", None, "something: x"),
    "Nov 24 04:05:06 fw CiscoASA[999]: %ASA-6-1: x": columns(AT, "fw", "CiscoASA", 999, "%ASA-6-1: x"),
}
RELAYED = {
    "Nov 24 04:05:06 s_src@web1 sshd[1]: x": columns(
        AT, "web1", "sshd", 1, "x", extra={"log.syslog.hostname": "s_src@web1"}
    ),
    "<38>Nov 24 04:05:06 web1/relay9 sshd[1]: x": columns(
        AT, "web1", "sshd", 1, "x", pri=38, extra={"log.syslog.hostname": "web1/relay9"}
    ),
    "Nov 24 04:05:06 s_net@web1/relay9 sshd[1]: x": columns(
        AT, "web1", "sshd", 1, "x", extra={"log.syslog.hostname": "s_net@web1/relay9"}
    ),
    "Nov 24 04:05:06 slot1/bigip notice sshd[1]: x": columns(
        AT, "bigip", "sshd", 1, "x", extra={"log.syslog.hostname": "slot1/bigip", "log.level": "notice"}
    ),
    "Nov 24 04:05:06 [192.0.2.1] sshd[1]: x": columns(
        AT, "192.0.2.1", "sshd", 1, "x", extra={"log.syslog.hostname": "[192.0.2.1]"}
    ),
    "Nov 24 04:05:07 relay Nov 24 04:05:06 web1 sshd[1]: x": columns(AT, "web1", "sshd", 1, "x"),
    "Nov 24 04:05:06 relay Message forwarded from aix1: sshd[12]: x": columns(AT, "aix1", "sshd", 12, "x"),
    "Nov 24 04:05:06 aix1 auth|security:info sshd[12]: x": columns(
        AT, "aix1", "sshd", 12, "x", extra={"log.level": "info"}
    ),
    "Nov 24 04:05:06 aix1 daemon:notice inetd[12]: x": columns(
        AT, "aix1", "inetd", 12, "x", extra={"log.level": "notice"}
    ),
    "Nov 24 04:05:06 sun sshd[12]: [ID 800047 auth.info] x": columns(
        AT, "sun", "sshd", 12, "x", extra={"log.syslog.msgid": "800047"}
    ),
    "2026-11-24T04:05:06.123Z In(38) sshd[12]: x": columns(UTC_AT + ".123000", None, "sshd", 12, "x", pri=38),
    "2026-11-24T04:05:06.123Z info hostd[2F1A] [Originator@6876] x": columns(
        UTC_AT + ".123000",
        None,
        "hostd",
        None,
        "[Originator@6876] x",
        extra={"log.level": "info", "log.syslog.procid": "2F1A"},
    ),
    "2026-11-24T04:05:06Z 12 [Note] x": columns(UTC_AT, None, None, None, "12 [Note] x"),
    "2026-11-24 04:05:06 UTC [12] x": columns(UTC_AT, None, None, None, "[12] x"),
    "Nov 24 04:05:06 kdc krb5kdc[12](info): x": columns(AT, "kdc", "krb5kdc", 12, "x", extra={"log.level": "info"}),
    "Nov 24 04:05:06 combo sshd(pam_unix)[12]: check pass; user unknown": columns(
        AT, "combo", "sshd", 12, "pam_unix(sshd): check pass; user unknown"
    ),
    "Nov 24 04:05:06 combo  -- root[12]: ROOT LOGIN ON tty2": columns(AT, "combo", "login", 12, "ROOT LOGIN ON tty2"),
    "<30>web1 app[12]: x": columns(RECEIPT, "web1", "app", 12, "x", pri=30),
    "<30>Nov 24 04:05:06 docker/web/1a2b[12]: x": columns(AT, None, "docker/web/1a2b", 12, "x", pri=30),
    "\ufeff<38>Nov 24 04:05:06 h sshd[1]: x": columns(AT, "h", "sshd", 1, "x", pri=38),
    "1 2026-11-24T04:05:06Z h su 7 - - x": columns(UTC_AT, "h", "su", 7, "x", extra={"log.syslog.version": "1"}),
}
ISO = {
    "2026-11-24T04:05:06.123456+01:00 h prog[1]: x": columns(AT + ".123456", "h", "prog", 1, "x"),
    "<38>2026-11-24T04:05:06.123456+01:00 h prog[1]: x": columns(AT + ".123456", "h", "prog", 1, "x", pri=38),
    "2026-11-24T04:05:06+0100 h prog[1]: x": columns(AT, "h", "prog", 1, "x"),
    "2026-11-24T04:05:06Z h prog: x": columns(UTC_AT, "h", "prog", None, "x"),
    "2026-11-24T04:05:06.1234567Z h prog: x": columns(UTC_AT + ".123456", "h", "prog", None, "x"),
    "2026-11-24T04:05:06Z prog: x": columns(UTC_AT, None, "prog", None, "x"),
    "2026-11-24 04:05:06,5 h prog[1]: x": columns(AT + ".500000", "h", "prog", 1, "x"),
    "2026-11-24 04:05:06 +0100 h prog[1]: x": columns(AT, "h", "prog", 1, "x"),
    "Tue 2026-11-24 04:05:06 UTC h prog[1]: x": columns(UTC_AT, "h", "prog", 1, "x"),
    "2026-11-24T04:05:60Z h prog: x": columns("2026-11-24T04:06:00", "h", "prog", None, "x"),
}
_VERSION = {"log.syslog.version": "1"}
RFC5424 = {
    "<34>1 2026-11-24T04:05:06.003Z h.example.com su - ID47 - \ufeff'su root'": columns(
        UTC_AT + ".003000", "h.example.com", "su", None, "'su root'", pri=34,
        extra={**_VERSION, "log.syslog.msgid": "ID47"},
    ),
    "<165>1 - - - - - -": columns(RECEIPT, None, None, None, "", pri=165, extra=_VERSION),
    "<165>1 - - - - - - x": columns(RECEIPT, None, None, None, "x", pri=165, extra=_VERSION),
    '<165>1 2026-11-24T04:05:06-07:00 192.0.2.1 my 8710 - [a@1 x="y\\"]\\\\z" q=""][b] m [x]': columns(
        "2026-11-24T11:05:06", "192.0.2.1", "my", 8710, "m [x]", pri=165,
        extra={**_VERSION, "log.syslog.structured_data": {"a@1": {"x": 'y"]\\z', "q": ""}, "b": {}}},
    ),
    "<165>1 2026-11-24T04:05:06Z 2001:db8::1 my x - - it": columns(
        UTC_AT, "2001:db8::1", "my", None, "it", pri=165, extra={**_VERSION, "log.syslog.procid": "x"}
    ),
    "<165>1 2026-11-24T04:05:06Z h my - - [broken x": columns(
        UTC_AT, "h", "my", None, "[broken x", pri=165, extra=_VERSION
    ),
    "<38>1 2026-11-24T04:05:06Z h sshd(pam_unix) 7 - - x": columns(
        UTC_AT, "h", "sshd", 7, "pam_unix(sshd): x", pri=38, extra=_VERSION
    ),
    "<38>1 2026-11-24T04:05:06Z h /usr/sbin/a 7 - - x": columns(UTC_AT, "h", "a", 7, "x", pri=38, extra=_VERSION),
    "40 <38>1 2026-11-24T04:05:06Z h a - - - x": columns(UTC_AT, "h", "a", None, "x", pri=38, extra=_VERSION),
    "44 <38>Nov 24 04:05:06 h sshd[12]: x": columns(AT, "h", "sshd", 12, "x", pri=38),
}  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), [*BSD.items(), *MISSING.items(), *DIALECTS.items()])
def test_rfc_3164_and_its_dialects(line: str, expected: dict[str, Any]) -> None:
    assert read(line) == expected


@pytest.mark.parametrize(("line", "expected"), [*CISCO.items(), *ISO.items(), *RELAYED.items()])
def test_devices_and_iso_stamps(line: str, expected: dict[str, Any]) -> None:
    assert read(line) == expected


@pytest.mark.parametrize(("line", "expected"), RFC5424.items())
def test_rfc_5424(line: str, expected: dict[str, Any]) -> None:
    assert read(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "just some text", "error: not a tag", "Feb 30 04:05:06 h a: x", "Foo 24 04:05:06 h a: x",
        "Nov 24 24:05:06 h a: x", "2026-13-24T04:05:06Z h a: x", "<999>a: x", "12345", '{"a": 1}', "<>x", "a[]: b",
    ],
)  # fmt: skip
def test_what_has_no_header_is_all_message(line: str) -> None:
    assert read(line) == columns(RECEIPT, None, None, None, line)


@pytest.mark.parametrize(
    ("stamp", "received", "expected"),
    [
        ("Dec 31 23:59:59", "2027-01-01T00:00:05", "2026-12-31T23:59:59"),
        ("Jan  1 00:00:01", "2026-12-31T23:59:58", "2027-01-01T00:00:01"),
        ("Jul  1 00:00:00", "2026-01-02T00:00:00", "2025-07-01T00:00:00"),
        ("May  5 10:00:00", "2026-11-24T12:00:00", "2026-05-05T10:00:00"),
        ("Nov 24 13:00:00", "2026-11-24T12:00:00", "2026-11-24T13:00:00"),
        ("Nov 26 13:00:00", "2026-11-24T12:00:00", "2025-11-26T13:00:00"),
        ("Jul  4 00:00:00", "2026-01-01T00:00:00", "2025-07-04T00:00:00"),
        ("Feb 29 12:00:00", "2028-03-01T00:00:00", "2028-02-29T12:00:00"),
        ("Feb 29 12:00:00", "2025-03-01T00:00:00", "2024-02-29T12:00:00"),
        ("Feb 29 12:00:00", "2104-02-01T00:00:00", "2096-02-29T12:00:00"),
    ],
)
def test_the_year_is_the_latest_that_is_past(stamp: str, received: str, expected: str) -> None:
    now = int(datetime.fromisoformat(received + "+00:00").timestamp()) * 1_000_000
    assert read(f"{stamp} h a: x", "UTC", now)["when"] == expected


def test_one_reader_tells_the_years_of_the_same_stamp_apart() -> None:
    headers, line = Headers("UTC"), "Dec 31 23:59:59 h a: x"
    years = []
    for received in ("2027-01-01T00:00:05+00:00", "2025-12-31T23:59:59+00:00", "2027-01-01T00:00:05+00:00"):
        now = int(datetime.fromisoformat(received).timestamp()) * 1_000_000
        years.append(datetime.fromtimestamp(headers.read(line, now)["timestamp"] / 1e6, UTC).year)
    assert years == [2026, 2025, 2026]


def test_a_stamp_that_is_read_again_a_year_later_is_not_of_the_year_before() -> None:
    headers, line = Headers("UTC"), "May  5 10:00:00 h a: x"
    years = []
    for received in ("2026-11-24T12:00:00+00:00", "2027-05-03T12:00:00+00:00", "2027-05-05T09:00:00+00:00"):
        now = int(datetime.fromisoformat(received).timestamp()) * 1_000_000
        years.append(datetime.fromtimestamp(headers.read(line, now)["timestamp"] / 1e6, UTC).year)
    assert years == [2026, 2026, 2027]


def test_a_zone_with_summer_time() -> None:
    assert read("Jul  1 12:00:00 h a: x")["when"] == "2026-07-01T10:00:00"
    assert read("Jul  1 12:00:00 h a: x", "America/New_York")["when"] == "2026-07-01T16:00:00"


def test_the_zone_is_noted_when_it_was_assumed() -> None:
    headers = Headers("Europe/Berlin")
    assert headers.read("Nov 24 04:05:06 h a: x", RECEIVED)["extra"] == {"event.timezone": "Europe/Berlin"}
    assert "extra" not in headers.read("2026-11-24T04:05:06+01:00 h a: x", RECEIVED)
    assert "extra" not in Headers().read("Nov 24 04:05:06 h a: x", RECEIVED)


_LINES = [*BSD, *MISSING, *DIALECTS, *CISCO, *ISO, *RELAYED, *RFC5424]


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(_LINES), st.data())
def test_any_header_gives_base_columns(line: str, data: st.DataObject) -> None:
    start, end = (data.draw(st.integers(0, len(line))) for _ in range(2))
    filling = data.draw(st.text(max_size=6) | st.sampled_from(_LINES) | st.just(line[start:end] * 3))
    text = line[:start] + filling + line[end:]
    event = HEADERS.read(text, RECEIVED)
    assert event["event_original"] == text
    assert event["message"] is not None
    event["event_dataset"] = "x"
    check_event(event)


@pytest.mark.parametrize("line", _LINES, ids=range(len(_LINES)))
def test_long_headers_take_bounded_time(line: str) -> None:
    pieces = sorted({found[0] for found in re.finditer(r"\S+\s?|[^\w\s]|\w+", line)})
    for piece in [*pieces, " ", ":", "[", '"', "\\", "@", "/", "%", "0"]:
        for at in (line.find(piece), len(line)):
            text = line[:at] + piece * (60_000 // len(piece)) + line[at:]
            start = time.process_time()
            HEADERS.read(text, RECEIVED)
            assert time.process_time() - start < 0.2, (piece, at)


def test_many_different_stamps_take_bounded_memory() -> None:
    headers = Headers()
    for second in range(30_000):
        stamp = f"Nov {second // 3600 % 28 + 1:2d} {second // 60 % 24:02d}:{second // 24 % 60:02d}:{second % 60:02d}"
        headers.read(f"{stamp} h a: x", RECEIVED)
    assert len(headers._clock._known) <= 8192
