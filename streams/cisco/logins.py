"""Holds the templates of messages about logins to the firewall and to its VPN, and of AAA's verdicts.

`streams/ATTEMPTS.md` says which lines are attempts. Who logs in chooses the name: what the firewall writes right of it
counts, so a name reaches to the last of that. https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html
"""

from streams.cisco.kinds import ABOUT_LOGIN, LOGIN, REFUSAL, REFUSED, VERDICT, kind
from streams.cisco.patterns import Message

_LOGOUT = {**ABOUT_LOGIN, "event_action": "logged-out", "event_outcome": "success"}
_SERVER = ("AAA Marking {service} server {b_host} in aaa-server group {server_group} *",)
_LOCAL = "~: local database~: <U|u>ser =~"
_REMOTE = "~: server =~ {b_host}~<:|,> <U|u>ser =~"
_IP = "~: user IP = <None|{a_ip}>"
_TO = (
    'Login {verdict} from {A} to {b_if}:{b_host}/{service} for user "{user}"',
    'Login {verdict} from {terminal} to {service} for user "{user}"',
)
_UNAME = (
    "User authentication {verdict}: IP address: {a_host}, Uname: {user}",
    "User authentication {verdict}: Uname: {user}",
)
_THROUGH = "<Authentication|Authorization> {verdict} for user '{user}' from {As} to {Bs}[ on interface {interface}]"


def grouped(rest: str) -> tuple[str, str]:
    """The two forms of group, user and address before a text about a VPN session."""
    return (
        f"Group \\<{{group}}\\> User \\<{{user}}\\> IP \\<{{a_ip}}\\>[,] {rest}",
        f"Group {{group}} User {{user}} IP {{a_ip}}[,] {rest}",
    )


LOGINS = (
    Message("113003", ABOUT_LOGIN, ("AAA group policy for user {user} is being set to {group_policy}",)),
    Message("113004", VERDICT, (f"AAA user authentication Successful{_REMOTE}{{user}}",)),
    Message(
        "113004", {**ABOUT_LOGIN, "event_outcome": "success"}, (f"AAA user {{aaa_type}} Successful{_REMOTE}{{user}}",)
    ),
    Message(
        "113005",
        REFUSAL,
        (
            f"AAA user authentication Rejected~: reason = {{reason}}{_REMOTE}{{user}}{_IP}",
            f"AAA user authentication Rejected~: reason = {{reason}}{_REMOTE}{{user}}",
        ),
    ),
    Message(
        "113005",
        REFUSED,
        (
            f"AAA user {{aaa_type}} Rejected~: reason = {{reason}}{_REMOTE}{{user}}{_IP}",
            f"AAA user {{aaa_type}} Rejected~: reason = {{reason}}{_REMOTE}{{user}}",
        ),
    ),
    Message("113006", REFUSED, ("User ['|]{name}['|] locked out on exceeding ['|]{tries}['|] *",)),
    Message("113007", ABOUT_LOGIN, ("User ['|]{name}['|] unlocked by {unlocked_by}",)),
    Message("113008", LOGIN, ("AAA transaction status ACCEPT~: user = {user}",)),
    Message(
        "113009 113011",
        LOGIN,
        (
            "AAA retrieved <default|user specific> group policy [\\(]{group_policy}[\\)] for user =~ {user}",
            "AAA retrieved <default|user specific> group policy [\\(]{group_policy}[\\)] for user {user}",
        ),
    ),
    Message("113010", ABOUT_LOGIN, ("AAA challenge received for user {user} from server {b_host}[.]",)),
    Message("113012", VERDICT, (f"AAA user authentication Successful{_LOCAL}{{user}}",)),
    Message(
        "113013 113014", {**ABOUT_LOGIN, "event_outcome": "failure"}, ("AAA {reason}~: {details}~: user = {user}",)
    ),
    Message(
        "113015",
        REFUSAL,
        (
            f"AAA user authentication Rejected~: reason = {{reason}}{_LOCAL}{{user}}{_IP}",
            f"AAA user authentication Rejected~: reason = {{reason}}{_LOCAL}{{user}}",
        ),
    ),
    Message(
        "113016 113017",
        REFUSED,
        tuple(
            f"AAA credentials rejected~: reason = {{reason}}{where}{{user}}{ip}"
            for where in (_LOCAL, _REMOTE)
            for ip in (_IP, "")
        ),
    ),
    Message(
        "113021",
        REFUSED,
        ("Attempted console login failed. User {user} did NOT have appropriate Admin Rights.",),
    ),
    Message("113022", kind("network", "info", "server-failed", "failure"), _SERVER),
    Message("113023", kind("network", "info", "server-active", "success"), _SERVER),
    Message("109001", ABOUT_LOGIN, ("Auth start for user '{name}' from {As} to {Bs}",)),
    Message("109002", {**ABOUT_LOGIN, "event_outcome": "failure"}, ("Auth from {As} to {Bs} failed *",)),
    Message(
        "109010 109023",
        REFUSED,
        (
            "Auth from {As} to {Bs} failed *",
            "User from {As} to {Bs} on interface {interface} using {protocol} must authenticate *",
        ),
    ),
    Message("109011", LOGIN, ("Authen Session Start: user '{name}', sid {session_id}",)),
    Message("109012", _LOGOUT, ("Authen Session End: user '{name}', sid {session_id}, elapsed {elapsed} seconds",)),
    Message("109017", REFUSED, ("User at {a_ip} exceeded auth proxy connection limit *",)),
    Message(
        "109024 109025",
        REFUSED,
        (
            "Authorization denied from {As} to {Bs} \\({reason}\\) on interface {interface} using {protocol}",
            "Authorization denied \\(acl=~{rule_name}\\) for user ['|]{name}['|] from {As} to {Bs} "
            "on interface {interface} using {protocol}",
        ),
    ),
    Message(
        " ".join(f"1092{number:02}" for number in range(1, 14)),
        ABOUT_LOGIN,
        ("UAUTH: Session={session_id}, User={user}, Assigned IP={a_ip}, {reason}",),
    ),
    Message("109031", REFUSED, ("NT Domain Authentication Failed: rejecting guest login for {user}.",)),
    Message(
        "713166 713167",
        REFUSED,
        tuple(
            before + "Remote peer has failed user authentication*"
            for before in (
                "Group = {group}, Username = {user}, IP = {a_ip}[,] ",
                "Group = {group}, IP = {a_ip}[,] ",
                "",
            )
        ),
    ),
    Message("109005 109007", LOGIN, (_THROUGH,)),
    Message("109006 109008", REFUSED, (_THROUGH,)),
    Message("307001 315001", REFUSED, ("Denied <Telnet|SSH> [login ]session from {a_host} on interface {a_if}*",)),
    Message(
        "307002 315002",
        LOGIN,
        (
            'Permitted <Telnet|SSH> [login ]session from {a_host}[ on interface {a_if}][ for user "{user}"]',
            "Permitted <Telnet|SSH> [login ]session from {a_host} on interface {a_if} for user {user}",
        ),
    ),
    Message("307003", REFUSED, ("telnet login session failed from {a_host} \\({tries} attempts\\)*",)),
    Message(
        "308001",
        REFUSAL,
        ("[PIX |ASA |]console enable password incorrect for {tries} tries \\(from {a_host}\\)",),
    ),
    Message(
        "315011",
        {**kind("network", "connection end", "ssh-session-ended"), "network_protocol": "ssh"},
        tuple(
            f"SSH session from {{a_host}} on interface {{a_if}} for user {user} disconnected by SSH server, reason: "
            '["]{reason}["][ \\(0x{code}\\)]'
            for user in ('"{user}"', "{user}")
        ),
    ),
    Message("605004", REFUSED, _TO),
    Message("605005", LOGIN, _TO),
    Message("611101", LOGIN, _UNAME),
    Message("611102", REFUSED, _UNAME),
    Message("611103", _LOGOUT, ("User logged out: Uname: {user}",)),
    Message("716038", LOGIN, grouped("Authentication: successful, Session Type: {session_type}[.]")),
    Message(
        "716039",
        REFUSED,
        (
            *grouped("Authentication: rejected, Session Type: {session_type}[.]"),
            "Authentication: rejected, group = {group} user = {user}~, Session Type: {session_type}[.]",
        ),
    ),
    Message(
        "734001",
        LOGIN,
        (
            "DAP: User {user}, Addr {a_ip}, Connection {connection_type}: The following DAP records were selected for "
            "this connection: {dap_records}~",
        ),
    ),
    Message("734002", REFUSED, ("DAP: User {user}, Addr {a_ip}: {reason}",)),
    Message("734003", ABOUT_LOGIN, ("DAP: User {user}, Addr {a_ip}: Session Attribute {attribute}~=~{value}",)),
)
