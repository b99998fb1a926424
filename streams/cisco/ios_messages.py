"""Holds the templates of messages of IOS and NX-OS: logins, lists, sessions, configuration, the state of links and
neighbours.

https://www.cisco.com/c/en/us/td/docs/ios/system/messages/guide/consol_smg.html
"""

from streams.cisco.kinds import (
    ABOUT_LOGIN,
    ALLOWED,
    BUILT,
    DENIED,
    INFO,
    LOGIN,
    REFUSAL,
    REFUSED,
    SEEN,
    TORN,
    VERDICT,
    kind,
)
from streams.cisco.patterns import Message

_CONFIGURED = kind("configuration", "change", "configuration", "success")
_LOGOUT = {**ABOUT_LOGIN, "event_action": "logged-out", "event_outcome": "success"}
_ACCESS = kind("authentication network", "info", "port-authentication")
_ADMITTED = {**_ACCESS, "event_outcome": "success"}
_NOT_ADMITTED = {**_ACCESS, "event_type": ["info", "denied"], "event_outcome": "failure"}
_SSH = {"network_protocol": "ssh", "network_transport": "tcp"}
_LINK = kind("network", "info", "link-state")
_NEIGHBOUR = kind("network", "connection info", "neighbor-state")

_BY = "by {user} on {line}[ \\({a_ip}\\)]"
_WHO = "\\[user: {user}\\] \\[Source: <{a_ip}|LOCAL|UNKNOWN|async>\\][ \\[localport: {destination_port}\\]]"
_PACKETS = "[ \\({dscp}\\)], {packets} packet*"
_VIA = "[ \\({on_interface}[ {mac}]\\)]"
_CIPHER = "using crypto cipher '{cipher}'[, hmac '{hmac}']"
_CLIENT = "for client \\(<{mac}|Unknown MAC>\\)*on Interface {on_interface}[ AuditSessionID {session_id}]"
_CLIENT_NAMED = f"{{details}} {_CLIENT}[ Username:~{{user}}]"
_ENDS = "\\({a_local}\\)[ sent {source_bytes} bytes] -- responder \\({b_remote}\\)[ sent {destination_bytes} bytes]*"
_PROCESS = " - {process_name}\\[{process_pid}\\]"


def _listed(verdict: str) -> tuple[str, ...]:
    start = f"[access-]list {{rule_name}} {verdict} "
    return (
        f"{start}{{protocol}} {{a_ip}}{_VIA} -\\> {{b_ip}} \\({{icmp_type}}/{{icmp_code}}\\){_PACKETS}",
        f"{start}{{protocol}} {{Ap}}{_VIA} -\\> {{Bp}}{_PACKETS}",
        f"{start}{{a_ip}} {{packets}} packet*",
    )


_LISTS = (
    "SEC-IPACCESSLOGP SEC-IPACCESSLOGDP SEC-IPACCESSLOGRP SEC-IPACCESSLOGNP SEC-IPACCESSLOGS "
    "IPV6-ACCESSLOGP IPV6-ACCESSLOGDP IPV6-ACCESSLOGNP IPV6-ACCESSLOGSP "
    "IPV6_ACL-ACCESSLOGP IPV6_ACL-ACCESSLOGDP IPV6_ACL-ACCESSLOGNP"
)
_PORTS = "AUTHMGR-{0} SESSION_MGR-{0} DOT1X-{0} MAB-{0}"

IOS = (
    Message("SEC_LOGIN-LOGIN_SUCCESS SEC_LOGIN-WEBLOGIN_SUCCESS", VERDICT, (f"Login Success {_WHO}*",)),
    Message(
        "SEC_LOGIN-LOGIN_FAILED SEC_LOGIN-WEBLOGIN_FAILED",
        REFUSAL,
        (f"Login <F|f>ailed {_WHO}[ \\[Reason: {{login_reason}}\\]]*",),
    ),
    Message(
        "SEC_LOGIN-QUIET_MODE_ON",
        {**REFUSED, "event_action": "logins-blocked"},
        (f"Still timeleft for watching failures is {{seconds}} secs, {_WHO}[ \\[Reason: {{login_reason}}\\]]*",),
    ),
    Message("SEC_LOGIN-QUIET_MODE_OFF", ABOUT_LOGIN),
    Message(
        "SSH-SSH2_USERAUTH SSH-SSH_USERAUTH",
        {**LOGIN, **_SSH},
        (f"User '{{name}}' authentication for SSH[2] Session from {{a_ip}}~\\(tty = {{tty}}\\) {_CIPHER} Succeeded",),
    ),
    Message(
        "SSH-SSH2_USERAUTH SSH-SSH_USERAUTH",
        {**REFUSED, **_SSH},
        (f"User '{{name}}' authentication for SSH[2] Session from {{a_ip}}~\\(tty = {{tty}}\\) {_CIPHER} Failed",),
    ),
    Message(
        "SSH-SSH2_SESSION SSH-SSH_SESSION",
        {**BUILT, **_SSH, "event_action": "ssh-session-started"},
        (f"SSH[2] Session request from {{a_ip}}~\\(tty = {{tty}}\\) {_CIPHER} Succeeded",),
    ),
    Message(
        "SSH-SSH2_SESSION SSH-SSH_SESSION",
        {**SEEN, **_SSH, "event_action": "ssh-session-started", "event_outcome": "failure"},
        (f"SSH[2] Session request from {{a_ip}}~\\(tty = {{tty}}\\) {_CIPHER} Failed",),
    ),
    Message(
        "SSH-SSH2_CLOSE SSH-SSH_CLOSE",
        {**TORN, **_SSH, "event_action": "ssh-session-ended"},
        (f"SSH[2] Session from {{a_ip}}~\\(tty = {{tty}}\\) for user '{{name}}' {_CIPHER} closed",),
    ),
    Message(_LISTS, ALLOWED, _listed("permitted")),
    Message(_LISTS, DENIED, _listed("denied")),
    Message("SEC-IPACCESSLOGRL", INFO),
    Message(
        "ACLLOG-ACLLOG_FLOW_INTERVAL ACLLOG-ACLLOG_NEW_FLOW",
        SEEN,
        (
            "S<ource|rc> IP: {a_ip}, D<estination|st> IP: {b_ip}, S<ource|rc> Port: {source_port}, "
            "D<estination|st> Port: {destination_port}, S<ource|rc> Int<er|>f<ace|>: {on_interface}, "
            'Protocol: "{protocol}"*',
        ),
    ),
    Message("FW-SESS_AUDIT_TRAIL_START", BUILT, (f"*Start <{{transport}}|{{service}}> session: initiator {_ENDS}",)),
    Message("FW-SESS_AUDIT_TRAIL", TORN, (f"*Stop <{{transport}}|{{service}}> session: initiator {_ENDS}",)),
    Message(
        "FW-DROP_PKT",
        DENIED,
        (
            "Dropping <{transport}|{service}> <session|pkt> {a_local}[ =\\>| -\\>] {b_remote} *",
            "Dropping <{transport}|{service}> <session|pkt> {a_local} {b_remote} *",
        ),
    ),
    Message(
        "CRYPTO-RECVD_PKT_INV_SPI",
        DENIED,
        (
            "decaps: rec'd IPSEC packet has invalid spi for destaddr={b_ip}, prot={ip_protocol}, spi={spi}, "
            "srcaddr={a_ip}[, *]",
        ),
    ),
    Message("SNMP-AUTHFAIL", REFUSED, ("Authentication failure for SNMP req[uest] from host {a_ip}",)),
    Message(
        "SYS-CONFIG_I VSHD-VSHD_SYSLOG_CONFIG_I",
        _CONFIGURED,
        (
            "Configured from {config_source} by {user} on {a_ip}@{line}",
            f"Configured from {{config_source}} {_BY}",
            "Configured from {config_source} by {line}[ \\({a_ip}\\)]",
        ),
    ),
    Message("PARSER-CFGLOG_LOGGEDCMD", _CONFIGURED, ("User:~{word} ~logged command:~{process_command_line}",)),
    Message("SYS-LOGOUT", _LOGOUT, ("User {user} has exited tty session {tty}\\({a_ip}\\)",)),
    Message("SYS-TTY_EXPIRE_TIMER", _LOGOUT, ("\\(exec timer expired, tty {tty} \\({a_ip}\\)\\), user {user}",)),
    Message("SYS-PRIV_AUTH_PASS SYS-PRIV_I", LOGIN, (f"Privilege level set to {{privilege}} {_BY}",)),
    Message("SYS-PRIV_AUTH_FAIL", REFUSED, (f"Authentication to Privilege level {{privilege}} failed {_BY}",)),
    Message("SYS-RELOAD", kind("host", "end", "reload"), (f"Reload requested {_BY}.*", f"Reload requested {_BY}")),
    Message("SYS-RESTART", kind("host", "start", "restart")),
    Message("SYS-LOGGINGHOST_STARTSTOP", INFO, ("Logging to host {b_ip} <P|p>ort {destination_port} *",)),
    Message(_PORTS.format("SUCCESS"), _ADMITTED, (_CLIENT_NAMED,)),
    Message(_PORTS.format("FAIL"), _NOT_ADMITTED, (_CLIENT_NAMED,)),
    Message(_PORTS.format("START"), _ACCESS, (_CLIENT_NAMED,)),
    Message("AUTHMGR-RESULT", _ADMITTED, ("Authentication result 'success' from '{method}' " + _CLIENT,)),
    Message("AUTHMGR-RESULT", _NOT_ADMITTED, ("Authentication result '{verdict}' from '{method}' " + _CLIENT,)),
    Message(
        "PORT_SECURITY-PSECURE_VIOLATION",
        DENIED,
        ("Security violation occurred, caused by MAC address {mac} on port {on_interface}.",),
    ),
    Message("IP-DUPADDR", SEEN, ("Duplicate address {a_ip} on {on_interface}, sourced by {mac}*",)),
    Message(
        "LINK-UPDOWN LINK-CHANGED LINEPROTO-UPDOWN",
        _LINK,
        ("[Line protocol on ]Interface {on_interface}, changed state to {state}",),
    ),
    Message("ETHPORT-IF_UP ETHPORT-IF_DOWN_LINK_FAILURE", _LINK, ("Interface {on_interface} is {state}",)),
    Message("BGP-ADJCHANGE BGP-NOTIFICATION BGP_SESSION-ADJCHANGE", _NEIGHBOUR, ("*neighbor {b_ip} *",)),
    Message("OSPF-ADJCHG OSPFV3-ADJCHG", _NEIGHBOUR, ("Process {process}, Nbr {b_ip} on {on_interface} {reason}",)),
    Message("DUAL-NBRCHANGE", _NEIGHBOUR, ("{details}: Neighbor {b_ip} \\({on_interface}\\) is {state}: {reason}",)),
    Message(
        "AUTHPRIV-SYSTEM_MSG DAEMON-SYSTEM_MSG",
        REFUSAL,
        (f"pam_aaa:~Authentication failed for user {{user}} from {{a_ip}}{_PROCESS}",),
    ),
    Message(
        "AUTHPRIV-SYSTEM_MSG DAEMON-SYSTEM_MSG",
        REFUSED,
        (f"error: PAM: Authentication failure for [illegal user ]{{user}} from {{a_ip}}{_PROCESS}",),
    ),
    Message("AUTHPRIV-SYSTEM_MSG DAEMON-SYSTEM_MSG", INFO, (f"{{reason}}{_PROCESS}",)),
)
