"""Holds the templates of messages about the firewall itself: its configuration, its local users, its sessions of
management.

https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html
"""

from streams.cisco.kinds import kind
from streams.cisco.patterns import Message

_READ = kind("configuration", "info", "configuration", "success")
_CHANGED = kind("configuration", "change", "configuration", "success")
_FAILED = kind("configuration", "info", "configuration", "failure")

ADMINISTRATION = (
    Message("111004 111005", _CHANGED, ("{a_host} end configuration: OK",)),
    Message("111004 111005", _FAILED, ("{a_host} end configuration: {reason}",)),
    Message("111001 111007", _READ, ("Begin configuration: {a_host} {details}",)),
    Message("111008", _CHANGED, ("User '{name}' executed the '{process_command_line}' command[.]",)),
    Message("111009", _READ, ("User '{name}' executed cmd: {process_command_line}",)),
    Message(
        "111010",
        _CHANGED,
        ("User '{name}', running '{application}' from IP {a_host}, executed '{process_command_line}'",),
    ),
    Message(
        "199001",
        {**_READ, "event_action": "reload"},
        ("Reload command executed from {application} \\(remote {a_host}\\)[.]",),
    ),
    Message(
        "401002",
        kind("network", "info", "shun-added"),
        ("Shun added: {A} 0.0.0.0 0 0", "Shun added: {A} {b_host} {source_port} {destination_port}"),
    ),
    Message("401003", kind("network", "info", "shun-deleted"), ("Shun deleted: {A}",)),
    Message(
        "425005",
        kind("network", "info", "interface-switchover"),
        ("Interface {interface} become active in redundant interface {redundant_interface}",),
    ),
    Message(
        "502101",
        kind("iam", "user creation", "user-added", "success"),
        ("New user added to local dbase: Uname: {user_target_name} Priv: {privilege}*",),
    ),
    Message(
        "502102",
        kind("iam", "user deletion", "user-deleted", "success"),
        ("User deleted from local dbase: Uname: {user_target_name} Priv: {privilege}*",),
    ),
    Message(
        "502103",
        kind("iam", "user change", "privilege-level-changed", "success"),
        ("User priv level changed: Uname: {user} From: {old_privilege} To: {privilege}",),
    ),
    Message(
        "604101",
        kind("network", "info", "address-leased", "success"),
        ("DHCP client interface {interface}: Allocated ip = {a_ip}, mask = {netmask}, gw = {gateway}",),
    ),
    Message(
        "604103",
        kind("network", "info", "address-granted", "success"),
        ("DHCP daemon interface {on_interface}: address granted {mac} \\({a_ip}\\)",),
    ),
    Message(
        "604104",
        kind("network", "info", "address-released", "success"),
        ("DHCP daemon interface {on_interface}: address released[ {build}][ \\({a_ip}\\)]",),
    ),
    Message(
        "606001 606003",
        kind("network", "connection start", "asdm-session-started", "success"),
        ("ASDM [logging ]session number {session_id} from {a_ip} started*",),
    ),
    Message(
        "606002 606004",
        kind("network", "connection end", "asdm-session-ended", "success"),
        ("ASDM [logging ]session number {session_id} from {a_ip} ended*",),
    ),
    Message(
        "746012 746013",
        kind("network", "info", "user-identity"),
        ("user-identity: {verdict} IP-User mapping {a_ip} - {identity} <Succeeded|Failed> - {reason}",),
    ),
)
