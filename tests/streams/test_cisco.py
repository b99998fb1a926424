"""Tests the parser of Cisco's firewalls: source and destination, attempts, users with addresses in their names."""

from typing import Any

import pytest
from parsing import attempt_of, event_of

from streams.cisco.administration import ADMINISTRATION
from streams.cisco.connections import CONNECTIONS
from streams.cisco.denials import DENIALS
from streams.cisco.inspection import INSPECTION
from streams.cisco.logins import LOGINS
from streams.cisco.patterns import Message
from streams.cisco.vpn import VPN
from topics.event import Event

ENDS = ("source_ip", "source_port", "destination_ip", "destination_port")
OUTSIDE, INSIDE = "outside:203.0.113.66/51234", "inside:10.0.0.5/443"
FTD = "SrcIP: 203.0.113.66, DstIP: 192.0.2.10, SrcPort: 51234, DstPort: 22, Protocol: tcp"


def asa(code: str, text: str, severity: int = 6, product: str = "ASA") -> Event:
    return event_of("fw", f"%{product}-{severity}-{code}: {text}")


def ends(event: Event) -> tuple[Any, ...]:
    return tuple(event.get(column) for column in ENDS)


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
@pytest.mark.parametrize("code", ["302013", "302015"])
def test_who_began_a_connection(code: str, direction: str) -> None:
    first, second = f"{OUTSIDE} (203.0.113.66/51234)", f"{INSIDE} (192.0.2.5/50000)"
    event = asa(code, f"Built {direction} TCP connection 7 for {first} to {second}")
    outer, inner = ("203.0.113.66", 51234), ("10.0.0.5", 443)
    assert ends(event) == ((*outer, *inner) if direction == "inbound" else (*inner, *outer))
    side = "destination" if direction == "inbound" else "source"
    assert event["extra"][f"{side}.nat.ip"] == "192.0.2.5"
    assert event["extra"][f"{side}.nat.port"] == 50000
    assert event["extra"]["related.ip"] == ["192.0.2.5"]
    names = ("observer_ingress_interface_name", "observer_egress_interface_name")
    expected = ["outside", "inside"]
    assert [event[name] for name in names] == (expected if direction == "inbound" else expected[::-1])


@pytest.mark.parametrize(
    ("users", "names", "user"),
    [
        ((r"(LOCAL\alice)", ""), {"source.user.name": "alice"}, "alice"),
        ((r"(EXAMPLE\alice)", ""), {"source.user.name": "alice", "source.user.domain": "EXAMPLE"}, "alice"),
        ((r"(LOCAL\alice@x.example)", ""), {"source.user.name": "alice", "source.user.domain": "x.example"}, "alice"),
        ((r"(EXAMPLE\alice, 7:staff)", ""), {"source.user.name": "alice", "source.user.domain": "EXAMPLE",
          "cisco.source_security_group_tag": 7, "cisco.source_security_group_name": "staff"}, "alice"),
        (("(7)", ""), {"cisco.source_security_group_tag": 7}, None),
        (("", r"(LOCAL\bob)"), {"destination.user.name": "bob"}, "bob"),
        ((r"(LOCAL\alice)", r"(LOCAL\bob)"), {"source.user.name": "alice", "destination.user.name": "bob",
          "related.user": ["bob"]}, "alice"),
        (("(*****)", ""), {}, None),
    ],
)  # fmt: skip
def test_users_beside_addresses(users: tuple[str, str], names: dict[str, Any], user: str | None) -> None:
    event = asa(
        "302014", f"Teardown TCP connection 7 for {OUTSIDE}{users[0]} to {INSIDE}{users[1]} duration 0:00:01 bytes 5"
    )
    assert ends(event) == ("203.0.113.66", 51234, "10.0.0.5", 443)
    assert {name: value for name, value in event["extra"].items() if "user" in name or "group" in name} == names
    assert event.get("user_name") == user


@pytest.mark.parametrize(
    ("tail", "reason", "bytes_", "length"),
    [
        ("duration 0:01:02 bytes 5120 TCP FINs", "TCP FINs", 5120, 62),
        ("duration 0:01:02 bytes 5120 TCP Reset-I from inside", "TCP Reset-I", 5120, 62),
        ("duration 1d1h2m", None, None, None),
        ("duration 25:00:00 bytes 0", None, 0, 90000),
        ("duration 0:00:01 bytes 1 Flow closed by inspection (alice)", "Flow closed by inspection", 1, 1),
    ],
)
def test_how_a_connection_ended(tail: str, reason: str | None, bytes_: int | None, length: int | None) -> None:
    extra = asa("302014", f"Teardown TCP connection 7 for {OUTSIDE} to {INSIDE} {tail}")["extra"]
    assert (extra.get("event.reason"), extra.get("network.bytes")) == (reason, bytes_)
    assert extra.get("event.duration") == (None if length is None else length * 1_000_000_000)


def test_names_instead_of_addresses() -> None:
    event = asa(
        "302014", f"Teardown TCP connection 7 for outside:mail.example.com/25 to {INSIDE} duration 0:00:01 bytes 5"
    )
    assert ends(event) == (None, 25, "10.0.0.5", 443)
    assert event["extra"]["source.domain"] == "mail.example.com"
    assert event["extra"]["related.hosts"] == ["mail.example.com"]


@pytest.mark.parametrize("code", ["302020", "302021"])
@pytest.mark.parametrize("direction", ["inbound ", "outbound "])
def test_icmp_has_no_ports(code: str, direction: str) -> None:
    verb = f"Built {direction}" if code == "302020" else "Teardown "
    event = asa(
        code, f"{verb}ICMP connection for faddr 203.0.113.66/7 gaddr 192.0.2.5/0 laddr 10.0.0.5/0 type 8 code 0"
    )
    assert ends(event) == ("10.0.0.5", None, "203.0.113.66", None)
    assert event["network_transport"] == "icmp"
    assert event["extra"]["source.nat.ip"] == "192.0.2.5"


@pytest.mark.parametrize(
    ("code", "text", "types", "outcome"),
    [
        ("106023", f'Deny tcp src {OUTSIDE} dst {INSIDE} by access-group "A" [0x0, 0x0]', "denied", "failure"),
        ("106100", "access-list A denied tcp outside/203.0.113.66(51234) -> inside/10.0.0.5(443) hit-cnt 1 first hit",
         "denied", "failure"),
        ("106100", "access-list A permitted tcp outside/203.0.113.66(51234) -> inside/10.0.0.5(443)",
         "allowed", "success"),
        ("106001", "Inbound TCP connection denied from 203.0.113.66/51234 to 10.0.0.5/443 flags SYN  on interface o",
         "denied", "failure"),
        ("710005", f"TCP request discarded from 203.0.113.66/51234 to {INSIDE}", "denied", "failure"),
        ("710003", "TCP access denied by ACL from 203.0.113.66/51234 to inside:10.0.0.5/https", "denied", "failure"),
    ],
)  # fmt: skip
def test_refusals(code: str, text: str, types: str, outcome: str) -> None:
    event = asa(code, text, 4)
    assert ends(event) == ("203.0.113.66", 51234, "10.0.0.5", 443)
    assert (event["event_type"], event["event_outcome"]) == (["connection", types], outcome)
    assert event["network_transport"] == "tcp"
    assert event["extra"]["event.code"] == code
    assert event["extra"]["event.severity"] == 4


_ICMP_ERROR = "No matching connection for ICMP error message: icmp src o:203.0.113.66 dst i:10.0.0.5"
_PAYLOAD = f"{_ICMP_ERROR} (type 3, code 3) on o interface.  Original IP payload:"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("udp src 10.0.0.5/53 dst 203.0.113.67/5353.", ("10.0.0.5/53", "203.0.113.67/5353")),
        ("icmp src 10.0.0.5 dst 203.0.113.67 (type 8, code 0).", ("10.0.0.5", "203.0.113.67")),
        ("<unknown>.", (None, None)),
    ],
)
def test_the_source_is_who_sent_an_icmp_error_not_the_packet_that_it_is_about(
    payload: str, expected: tuple[str | None, ...]
) -> None:
    event = asa("313005", f"{_PAYLOAD} {payload}")
    assert (ends(event), event["network_transport"]) == (("203.0.113.66", None, "10.0.0.5", None), "icmp")
    assert tuple(event["extra"].get(f"cisco.original_{end}") for end in ("source", "destination")) == expected


def test_an_ipv6_translation_without_interface() -> None:
    text = "Built inbound ICMP connection for faddr 2001:db8::66/7 gaddr 2001:db8::5/0 laddr 2001:db8:1::5/0 type 128"
    assert asa("302020", f"{text} code 0")["extra"]["related.ip"] == ["2001:db8::5"]


_AAA = "AAA user authentication"
_GROUP = "Group <G> User <alice> IP <203.0.113.66>"


@pytest.mark.parametrize(
    ("code", "text", "attempts", "outcome"),
    [
        ("113004", f"{_AAA} Successful : server =  10.0.0.20 : user = alice", 1, "success"),
        ("113004", "AAA user accounting Successful : server =  10.0.0.20 : user = alice", 0, "success"),
        ("113005", f"{_AAA} Rejected : reason = AAA failure : server = 10.0.0.20 : user = alice", 1, "failure"),
        ("113005", "AAA user authorization Rejected : reason = AAA failure : server = 10.0.0.20 : user = alice",
         0, "failure"),
        ("113012", f"{_AAA} Successful : local database : user = alice", 1, "success"),
        ("113015", f"{_AAA} Rejected : reason = Invalid password : local database : user = alice", 1, "failure"),
        ("113015", f"{_AAA} said something else", 0, "failure"),
        ("308001", "console enable password incorrect for 3 tries (from 10.0.0.3)", 3, "failure"),
        ("113008", "AAA transaction status ACCEPT : user = alice", 0, "success"),
        ("605004", 'Login denied from 203.0.113.66/51234 to outside:192.0.2.1/ssh for user "alice"', 0, "failure"),
        ("605005", 'Login permitted from 203.0.113.66/51234 to outside:192.0.2.1/ssh for user "alice"', 0, "success"),
        ("611101", "User authentication succeeded: IP address: 203.0.113.66, Uname: alice", 0, "success"),
        ("611102", "User authentication failed: IP address: 203.0.113.66, Uname: alice", 0, "failure"),
        ("716038", f"{_GROUP} Authentication: successful, Session Type: WebVPN.", 0, "success"),
        ("716039", f"{_GROUP} Authentication: rejected, Session Type: WebVPN.", 0, "failure"),
        ("113039", f"{_GROUP} AnyConnect parent session started.", 0, "success"),
        ("106023", f'Deny tcp src {OUTSIDE} dst {INSIDE} by access-group "A"', 0, "failure"),
    ],
)  # fmt: skip
def test_what_is_an_attempt(code: str, text: str, attempts: int, outcome: str) -> None:
    assert attempt_of("fw", f"%ASA-6-{code}: {text}") == (attempts, outcome)


HOSTILE = ["two words", 'a" from 192.0.2.99/1 to x:192.0.2.98/ssh for user "b', "x> IP <192.0.2.99> y",
           "a, IP = 192.0.2.99, b",
           "x : user IP = 192.0.2.99", "caf\udce9", "{}[];=", "a\x1b[31mb", "' executed 'x"]  # fmt: skip


@pytest.mark.parametrize("user", HOSTILE)
@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("605004", 'Login denied from 203.0.113.66/51234 to outside:192.0.2.1/ssh for user "', '"'),
        ("611102", "User authentication failed: IP address: 203.0.113.66, Uname: ", ""),
        ("113015", f"{_AAA} Rejected : reason = Unspecified : local database : user = ", " : user IP = 203.0.113.66"),
        ("113005", f"{_AAA} Rejected : reason = Unspecified : server = s : user = ", " : user IP = 203.0.113.66"),
        ("716039", "Group <G> User <", "> IP <203.0.113.66> Authentication: rejected, Session Type: WebVPN."),
        ("734002", "DAP: User ", ", Addr 203.0.113.66: Connection terminated"),
        ("713902", "Group = G, Username = ", ", IP = 203.0.113.66, Error processing payload"),
        ("315011", "SSH session from 203.0.113.66 on interface outside for user ",
         ' disconnected by SSH server, reason: "x" (0x00)'),
    ],
)  # fmt: skip
def test_a_user_hides_no_address(code: str, before: str, after: str, user: str) -> None:
    event = asa(code, before + user + after)
    assert event["source_ip"] == "203.0.113.66"
    assert event["user_name"] == user.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    "text", ["http://e.example/a b", "http://e.example/ SRC 192.0.2.99 DEST 192.0.2.98", "/x'\"{};"]
)
def test_a_url_hides_no_address(text: str) -> None:
    event = asa("304001", f"10.0.0.5 Accessed URL 198.51.100.80:{text}")
    assert (event["source_ip"], event["destination_ip"], event["url_original"]) == ("10.0.0.5", "198.51.100.80", text)
    event = asa("304002", f"Access denied URL {text} SRC 10.0.0.5 DEST 198.51.100.80 on interface inside")
    assert (event["source_ip"], event["destination_ip"], event["url_original"]) == ("10.0.0.5", "198.51.100.80", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Something from {OUTSIDE} to {INSIDE} happened", ("203.0.113.66", 51234, "10.0.0.5", 443)),
        (f"Dropped it: tcp src {OUTSIDE} dst {INSIDE}", ("203.0.113.66", 51234, "10.0.0.5", 443)),
        ("moved from here to there", (None, None, None, None)),
        ("", (None, None, None, None)),
    ],
)
def test_what_is_not_in_the_catalogue_keeps_its_number_and_ends(text: str, expected: tuple[Any, ...]) -> None:
    event = asa("999999", text, 2)
    assert ends(event) == expected
    assert (event["event_category"], event["extra"]["event.code"]) == (["network"], "999999")
    assert event["extra"]["log.level"] == "critical"


@pytest.mark.parametrize(
    "text",
    ["Group <G> User <alice> IP <203.0.113.66> did it", "Group G User alice IP 203.0.113.66 did it",
     "Group = G, Username = alice, IP = 203.0.113.66, did it"],
)  # fmt: skip
def test_whose_session_it_is_in_a_message_that_is_not_in_the_catalogue(text: str) -> None:
    event = asa("999999", text)
    assert (event["user_name"], event["source_ip"], event["extra"]["event.reason"]) == (
        "alice",
        "203.0.113.66",
        "did it",
    )


@pytest.mark.parametrize("tag", ["%ASA-6-302010: ", "%ASA-6-302010 ", "%ASA-session-6-302010: ", "%ASA-6-302010 : "])
def test_tags(tag: str) -> None:
    event = event_of("fw", f"{tag}12 in use, 345 most used")
    assert event["extra"]["cisco.connections_in_use"] == 12
    assert event["event_dataset"] == "cisco.asa"


@pytest.mark.parametrize(
    ("action", "types"),
    [("Allow", ["connection", "end", "allowed"]), ("Trust", ["connection", "end", "allowed"]),
     ("Block", ["connection", "end", "denied"]), ("Block with reset", ["connection", "end", "denied"]),
     ("Monitor", ["connection", "end"])],
)  # fmt: skip
def test_security_events(action: str, types: list[str]) -> None:
    event = asa("430003", f"AccessControlRuleAction: {action}, {FTD}, User: EXAMPLE\\alice", 1, "FTD")
    assert ends(event) == ("203.0.113.66", 51234, "192.0.2.10", 22)
    assert (event["event_type"], event["event_outcome"], event["user_name"]) == (types, "success", "alice")
    assert event["event_dataset"] == "cisco.ftd"


@pytest.mark.parametrize(
    ("disposition", "kind", "category"),
    [
        ("Malware", "alert", ["malware"]),
        ("Clean", None, ["malware", "file"]),
        ("Unavailable", None, ["malware", "file"]),
    ],
)
def test_malware(disposition: str, kind: str | None, category: list[str]) -> None:
    event = asa("430005", f"{FTD}, SHA_Disposition: {disposition}, ThreatName: x, FileName: y", 1, "FTD")
    assert (event.get("event_kind"), event["event_category"]) == (kind, category)


@pytest.mark.parametrize("nobody", ["No Authentication Required", "Not Found", "Unknown"])
def test_who_is_nobody(nobody: str) -> None:
    assert "user_name" not in asa("430002", f"{FTD}, User: {nobody}", 1, "FTD")


@pytest.mark.parametrize("key", ["URL", "UserAgent", "HTTPReferer", "FileName", "DNSQuery"])
def test_what_a_client_writes_in_a_security_event_hides_no_address(key: str) -> None:
    text = "a, b: c (x, y), SrcIP: 192.0.2.99, DstIP: 192.0.2.98, AccessControlRuleAction: Allow"
    event = asa("430002", f"AccessControlRuleAction: Block, {FTD}, {key}: {text}", 1, "FTD")
    assert ends(event) == ("203.0.113.66", 51234, "192.0.2.10", 22)
    assert event["event_type"] == ["connection", "start", "denied"]


def test_older_security_events_have_no_number() -> None:
    event = event_of("SFIMS", f"{FTD}, AccessControlRuleAction: Allow, ConnectionDuration: 5")
    assert (event["extra"]["event.code"], event["extra"]["event.duration"]) == ("430003", 5_000_000_000)
    assert event_of("SFIMS", "something else")["event_dataset"] == "syslog.unparsed"


ALL = (*CONNECTIONS, *DENIALS, *INSPECTION, *LOGINS, *VPN, *ADMINISTRATION)


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.codes[:6])
def test_numbers_are_numbers(message: Message) -> None:
    assert all(len(code) == 6 and code.isdigit() for code in message.codes.split())
    assert message.templates


def ios(tag: str, text: str) -> Event:
    return event_of("sw", f"%{tag}: {text}")


LOGIN = "[user: {}] [Source: 192.0.2.9] [localport: 22]"
AT = "at 04:05:06 UTC Tue Nov 24 2026"
SSH = "(tty = 0) using crypto cipher 'aes256-ctr', hmac 'hmac-sha1'"


@pytest.mark.parametrize(
    ("tag", "text", "attempts", "outcome"),
    [
        ("SEC_LOGIN-5-LOGIN_SUCCESS", f"Login Success {LOGIN.format('alice')} {AT}", 1, "success"),
        ("SEC_LOGIN-4-LOGIN_FAILED", f"Login failed {LOGIN.format('alice')} [Reason: Login failed] {AT}", 1, "failure"),
        ("SEC_LOGIN-1-QUIET_MODE_ON", f"Still timeleft for watching failures is 2 secs, {LOGIN.format('alice')} "
         f"[Reason: Login failed] [ACL: a] {AT}", 0, "failure"),
        ("SSH-5-SSH2_USERAUTH", f"User 'alice' authentication for SSH2 Session from 192.0.2.9 {SSH} Succeeded", 0,
         "success"),
        ("SSH-5-SSH2_USERAUTH", f"User 'alice' authentication for SSH2 Session from 192.0.2.9 {SSH} Failed", 0,
         "failure"),
        ("AUTHPRIV-3-SYSTEM_MSG", "pam_aaa:Authentication failed for user alice from 192.0.2.9 - sshd[12]", 1,
         "failure"),
        ("SYS-5-PRIV_AUTH_FAIL", "Authentication to Privilege level 15 failed by alice on vty0 (192.0.2.9)", 0,
         "failure"),
    ],
)  # fmt: skip
def test_logins_to_ios(tag: str, text: str, attempts: int, outcome: str) -> None:
    event = ios(tag, text)
    assert (event.get("ogrewatch_attempt", 0), event["event_outcome"]) == (attempts, outcome)
    assert (event["user_name"], event["source_ip"], event["event_dataset"]) == ("alice", "192.0.2.9", "cisco.ios")


def test_a_user_of_ios_who_writes_another_address() -> None:
    user = "x] [Source: 198.51.100.6] [localport: 22] [Reason: x"
    event = ios("SEC_LOGIN-4-LOGIN_FAILED", f"Login failed {LOGIN.format(user)} [Reason: Login failed] {AT}")
    assert (event["user_name"], event["source_ip"]) == (user, "192.0.2.9")


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        ("SEC-6-IPACCESSLOGP", "list IN denied tcp 192.0.2.9(51234) -> 10.0.0.5(22), 1 packet",
         ("192.0.2.9", 51234, "10.0.0.5", 22)),
        ("SEC-6-IPACCESSLOGP", "list IN denied udp 192.0.2.9(53) (Vlan1 0050.56c0.0008) -> 10.0.0.5(53), 9 packets",
         ("192.0.2.9", 53, "10.0.0.5", 53)),
        ("SEC-6-IPACCESSLOGDP", "list IN denied icmp 192.0.2.9 -> 10.0.0.5 (8/0), 1 packet",
         ("192.0.2.9", None, "10.0.0.5", None)),
        ("SEC-6-IPACCESSLOGS", "list 10 denied 192.0.2.9 1 packet", ("192.0.2.9", None, None, None)),
        ("IPV6_ACL-6-ACCESSLOGP", "list V6/20 denied tcp 2001:db8::9(51234) -> 2001:db8::5(22), 1 packet",
         ("2001:db8::9", 51234, "2001:db8::5", 22)),
    ],
)  # fmt: skip
def test_lists_of_ios(tag: str, text: str, expected: tuple[Any, ...]) -> None:
    denied, permitted = ios(tag, text), ios(tag, text.replace("denied", "permitted"))
    assert ends(denied) == ends(permitted) == expected
    assert (denied["event_outcome"], permitted["event_outcome"]) == ("failure", "success")
    assert denied["event_type"] == ["connection", "denied"]


@pytest.mark.parametrize("text", ["%SPANTREE-2-ROOTGUARD: y", "%SYS-SW1-5-CONFIG_I: y", "%SYS-5-CONFIG_I:"])
def test_messages_of_ios_that_nobody_describes(text: str) -> None:
    event = event_of("sw", text)
    assert event["event_dataset"] == "cisco.ios"
    assert event["extra"]["cisco.facility"] == text[1:].partition("-")[0]


@pytest.mark.parametrize("port", ["512342147483648", "65536", "x"])
def test_a_number_that_its_column_cannot_hold_is_left_out(port: str) -> None:
    event = asa("401002", f"Shun added: 192.0.2.9 10.0.0.5 {port} 22", 4)
    assert ends(event) == ("192.0.2.9", None, "10.0.0.5", 22)
