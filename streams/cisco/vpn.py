"""Holds the templates of messages about VPN sessions: AnyConnect and WebVPN, IKE, IPsec, the addresses that clients are
given.

https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html
"""

from streams.cisco.kinds import LOGIN, REFUSED, SEEN, VPN_ENDED, VPN_ERROR, VPN_STARTED, VPN_STEP, kind
from streams.cisco.logins import grouped
from streams.cisco.patterns import Message

_SESSION = kind("network session", "connection start", "client-vpn-connected", "success")
_SA_MADE, _SA_GONE = {**VPN_STARTED, "event_action": "sa-created"}, {**VPN_ENDED, "event_action": "sa-deleted"}
_ASSIGNED = {**VPN_STEP, "event_action": "address-assigned"}
_FAILED = kind("network", "info", "client-vpn-error", "failure")
_IKE_STARTED = {**VPN_STARTED, "event_action": "connection-started"}
_IKE_FAILED = kind("network", "connection start", "client-vpn-error", "failure")
_RESUMED = "AnyConnect session resumed[.] <C|c>onnection from [IP ]"


def _ike(rest: str) -> tuple[str, ...]:
    """The forms of group, user and peer before a text about IKE version 1."""
    befores = (
        "Group = {group}, Username = {user}, IP = {a_ip}[,] ",
        "Group = {group}, IP = {a_ip}[,] ",
        "IP = {a_ip}[,] ",
        "",
    )
    return tuple(before + rest for before in befores)


def _ike2(rest: str) -> tuple[str, ...]:
    """The same for version 2."""
    ends = "Local:~{a_local} Remote:~{b_remote} Username:~{word}"
    return (f"{ends} Group:~{{group_name}} {rest}", f"{ends} {rest}")


def _pool(rest: str) -> str:
    return f"IPAA: [Session={{session_id}}, ]{rest}"


VPN = (
    Message(
        "113019",
        VPN_ENDED,
        (
            "Group = {group}, Username = {user}, IP = {a_ip}, Session disconnected. Session Type: {session_type}, "
            "Duration: {duration}, Bytes xmt: {destination_bytes}, Bytes rcv: {source_bytes}, Reason: {reason}",
        ),
    ),
    Message("113039 716001", _SESSION, grouped("{reason}")),
    Message("113029 113030 113031 113032 113033 113034 113035 113036 113037 113038", VPN_ERROR, grouped("{reason}")),
    Message(
        "113040",
        VPN_ERROR,
        (
            *grouped("Terminating the VPN connection attempt from {tunnel_group}. Reason: {reason}"),
            "Terminating the VPN connection attempt from {group}. Reason: {reason}",
        ),
    ),
    Message(
        "716002 716058 722023 722028 722037",
        VPN_ENDED,
        grouped("[WebVPN session terminated: ]{reason}[.]"),
    ),
    Message("716003", {**LOGIN, "event_action": "url-access"}, grouped('WebVPN access GRANTED: ["]{url_original}["]')),
    Message(
        "716004",
        {**REFUSED, "event_action": "url-access"},
        grouped('WebVPN access DENIED to specified location: ["]{url_original}["]'),
    ),
    Message(
        "716059",
        {**VPN_STARTED, "event_action": "client-vpn-resumed"},
        (
            f"Group \\<{{group}}\\> User \\<{{user}}\\> IP \\<{{b_ip}}\\> {_RESUMED}[\\<]{{a_ip}}[\\>][.]",
            f"Group {{group}} User {{user}} IP {{b_ip}} {_RESUMED}{{a_ip}}[.]",
        ),
    ),
    Message(
        "721016", VPN_STARTED, ("\\({device}\\) WebVPN session for client user {user}, IP {b_ip} has been created.",)
    ),
    Message(
        "721018", VPN_ENDED, ("\\({device}\\) WebVPN session for client user {user}, IP {b_ip} has been deleted.",)
    ),
    Message(
        "722051",
        _ASSIGNED,
        grouped("[IPv4 ]Address \\<{assigned_ip}\\>[ IPv6 address \\<{assigned_ipv6}\\>] assigned to session*"),
    ),
    Message(
        "722055",
        SEEN,
        (
            "Group \\<{group}\\> User \\<{bracketed}\\> IP \\<{a_ip}\\>[,] Client Type: {agent}",
            grouped("Client Type: {agent}")[1],
        ),
    ),
    Message("722032 722033", VPN_STARTED, (*grouped("<First|New> {protocol} SVC connection *"), *grouped("{reason}"))),
    Message(
        "722011 722012 722022 722034 722035 722036 722041 716007 716023",
        VPN_STEP,
        (*grouped("New {protocol} SVC connection*"), *grouped("{reason}")),
    ),
    Message(
        "602303",
        _SA_MADE,
        (
            "IPSEC: An {direction} {tunnel_type} SA \\(SPI=~{spi}\\) between {A} and {B} \\(user=~{user}\\) "
            "has been created.",
        ),
    ),
    Message(
        "602304",
        _SA_GONE,
        (
            "IPSEC: An {direction} {tunnel_type} SA \\(SPI=~{spi}\\) between {A} and {B} \\(user=~{user}\\) "
            "has been deleted.",
        ),
    ),
    Message("713049", _SA_MADE, _ike("Security negotiation complete for {reason}")),
    Message("713119 713120", {**VPN_STEP, "event_action": "ike-phase-completed"}, _ike("{reason}")),
    Message("713228", _ASSIGNED, _ike("Assigned private IP address {assigned_ip} to remote user")),
    Message("713194 713198 713901 713902", _FAILED, _ike("{reason}")),
    Message("713050 713259", VPN_ENDED, _ike("{reason}")),
    Message(
        "713902 713903 713904 713905",
        _FAILED,
        _ike("All <IPSec|IPsec|SA|IKE> [SA ]proposals found unacceptable[!]"),
    ),
    Message(
        "713041 713130 713131 713172 713184 713202 713236 713903 713904 713905 713906 715047 715077",
        SEEN,
        _ike("{reason}"),
    ),
    Message("750001 750002 750006 750012 751025", _IKE_STARTED, _ike2("{reason}")),
    Message("750003 750008 750009 751002 751020", _IKE_FAILED, _ike2("{reason}")),
    Message("750007", VPN_ENDED, _ike2("{reason}")),
    Message(
        "737006 737016 737026",
        VPN_STEP,
        (
            _pool("Client assigned {assigned_ip} from local pool {pool}"),
            _pool("Freeing local pool {pool} address {assigned_ip}"),
            _pool("Freeing local pool address {assigned_ip}"),
            _pool("{reason}"),
        ),
    ),
    Message("737003 737034", {**SEEN, "event_outcome": "failure"}, (_pool("{reason}"),)),
)
