"""Lists the messages of OpenVPN's server, as rules for the text after the peer.

Sources: OpenVPN src/openvpn/{multi,ssl,ssl_verify,ssl_verify_openssl,push,init,socket,forward}.c, plugins/auth-pam;
openvpn-auth-ldap src/auth-ldap.m.
"""

from streams.mapping.rules import Rule, Rules
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "openvpn"}


def _authentication(action: str, outcome: str, kind: str = "info") -> Event:
    meaning: Event = {**SERVICE, "event_category": ["authentication"], "event_type": [kind], "event_action": action}
    return {**meaning, "event_outcome": outcome} if outcome else meaning


def _network(action: str, *kinds: str) -> Event:
    return {**SERVICE, "event_category": ["network"], "event_type": ["connection", *kinds], "event_action": action}


_LOGIN: Event = {
    **_authentication("vpn_login", "success", "start"),
    "event_category": ["authentication", "session"],
    "ogrewatch_attempt": 1,
}
_REFUSED: Event = {**_authentication("vpn_login", "failure", "start"), "ogrewatch_attempt": 1}
_REFUSED_TOO = _authentication("vpn_message", "failure")
_PASSWORD_GOOD = _authentication("vpn_password", "success")
_VERIFIED = _authentication("vpn_certificate", "success")
_DETAIL = _authentication("vpn_message", "")
_OPENED = _network("vpn_connection_opened", "start")
_CLOSED = _network("vpn_connection_closed", "end")
_BROKEN: Event = {**_network("vpn_connection_failed", "info"), "event_outcome": "failure"}
_TUNNEL = _network("vpn_tunnel", "info")
_SERVER: Event = {**SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}
_TROUBLE: Event = {**_SERVER, "event_outcome": "failure"}

_REASON = r"(?P<reason>.*)"
_FAMILY = r"(?:\[AF_INET6?\])?"
_ADDRESS = rf"{_FAMILY}(?P<peer>\S+)"
_SERVER_LINES = (Rule(_REASON, _SERVER),)
_TUNNEL_LINES = (Rule(_REASON, _TUNNEL),)
_DEPTH = r"depth=(?P<depth>[0-9]{1,3}), ?"

_TLS_ERRORS = (
    Rule(
        r"Auth Error: (?P<reason>Auth Username/Password (?:verification failed|was not provided) (?:for|by) peer)",
        _REFUSED,
    ),
    Rule(r"Auth Error: (?P<reason>(?:username|TLS object CN) attempted to change .*)", _REFUSED),
    Rule(rf"Auth Error: {_REASON}", _REFUSED_TOO),
    Rule(
        r"Error: (?P<reason>(?:cannot locate HMAC in|incoming|Unroutable|reading acknowledgement|unknown opcode"
        rf"|local/remote|tls-crypt|could not determine|Unknown data channel).*?) (?:from|packet from|by) {_FAMILY}"
        r"(?P<source_ip>[0-9A-Fa-f.]{7,45}):(?P<source_port>[0-9]{1,5})(?:,? .*)?",
        _BROKEN,
    ),
    Rule(rf"Error: {_REASON}", _BROKEN),
    Rule(rf"Warning: {_REASON}", _DETAIL),
    Rule(rf"keys are out of sync: {_REASON}", _BROKEN),
)
_TLS = (
    Rule(rf"Initial packet from {_ADDRESS}, sid=(?P<session>\S+(?: \S+)?)(?:.*)", _OPENED),
    Rule(r"Username/Password authentication succeeded for username '(?P<user_name>.*)'(?: .*)?", _PASSWORD_GOOD),
    Rule(r"Username/Password authentication deferred for username '(?P<user_name>.*)'(?: .*)?", _DETAIL),
    Rule(r"Username/auth-token authentication succeeded for username '(?P<user_name>.*)'(?: .*)?", _PASSWORD_GOOD),
    Rule(rf"soft reset {_REASON}", _TUNNEL),
    Rule(_REASON, _TUNNEL),
)
_VERIFY = (
    Rule(rf"OK: {_DEPTH}(?P<subject>.*)", _VERIFIED),
    Rule(rf"(?:X509NAME|SCRIPT|PLUGIN|KU|EKU|nsCertType)? ?OK:? {_REASON}", _VERIFIED),
    Rule(rf"ERROR: {_DEPTH}error=(?P<reason>[^:]*): ?(?P<subject>.*)", _REFUSED),
    Rule(rf"ERROR: {_REASON}", _REFUSED),
    Rule(rf"(?:SCRIPT|PLUGIN|X509NAME|KU|EKU) ERROR: {_REASON}", _REFUSED),
    Rule(_REASON, _DETAIL),
)
_MULTI = (
    Rule(r"Learn: (?P<inner_address>\S+) -> (?P<learned>.*)", _TUNNEL),
    Rule(r"primary virtual IP for (?P<learned>.*): (?P<inner_address>\S+)", _TUNNEL),
    Rule(r"new connection by client '(?P<common_name>.*)' will cause (?P<reason>.*)", _DETAIL),
    Rule(rf"bad source address from client \[(?P<inner_address>[^\]]*)\], {_REASON}", _BROKEN),
    Rule(r"multi_create_instance called", _OPENED),
    Rule(rf"connection rejected: {_REASON}", _REFUSED_TOO),
    Rule(_REASON, _TUNNEL),
)
_SIGNAL = (Rule(r"(?P<reason>.*client-instance (?:exiting|restarting).*)", _CLOSED), Rule(_REASON, _SERVER))

_NETWORK_SET_UP = (
    *("ROUTE_GATEWAY", "do_ifconfig,", "net_addr_v4_add:", "net_addr_v6_add:", "net_iface_mtu_set:", "net_iface_up:"),
    *("net_iface_new:", "net_route_v4_add:", "net_route_v6_add:", "net_route_v4_best_gw", "GID", "UID"),
)

MESSAGES = Rules(
    "openvpn",
    {
        "TLS": _TLS_ERRORS,
        "TLS:": _TLS,
        "TLS_ERROR:": (Rule(r"(?P<reason>.*:certificate verify failed)", _REFUSED_TOO), Rule(_REASON, _BROKEN)),
        "OpenSSL:": (
            Rule(r"(?P<reason>error:.*:certificate verify failed.*)", _REFUSED_TOO),
            Rule(r"(?P<reason>error:.*)", _BROKEN),
        ),
        "LDAP": (
            Rule(r"user \"(?P<user_name>.*)\" was (?P<reason>not found)\.?", _REFUSED_TOO),
            Rule(r"(?P<reason>bind failed: .*)", _REFUSED_TOO),
        ),
        "Incorrect": (Rule(r"password supplied for LDAP DN \"(?P<ldap_dn>.*)\"\.?", _REFUSED_TOO),),
        "VERIFY": _VERIFY,
        "CRL": (Rule(rf"CHECK OK: {_REASON}", _VERIFIED), Rule(_REASON, _REFUSED_TOO)),
        "MULTI:": _MULTI,
        "MULTI_sva:": _TUNNEL_LINES,
        "SENT": (
            Rule(
                r"CONTROL \[(?>(?P<common_name>.*)\]: '(?=AUTH_FAILED.{12}))(?P<reason>AUTH_FAILED.*)' "
                r"\(status=[0-9]\)",
                _REFUSED_TOO,
            ),
            Rule(r"CONTROL \[(?>(?P<common_name>.*)\]: '(?=.{12}))(?P<reason>.*)' \(status=[0-9]\)", _TUNNEL),
        ),
        "PUSH:": _TUNNEL_LINES,
        "Data": _TUNNEL_LINES,
        "Control": _TUNNEL_LINES,
        "Outgoing": _TUNNEL_LINES,
        "Incoming": _TUNNEL_LINES,
        "peer": (Rule(rf"info: {_REASON}", _DETAIL),),
        "Peer": (Rule(rf"Connection Initiated with {_ADDRESS}", _LOGIN),),
        "AUTH:": (Rule(r"Received control message: (?P<reason>AUTH_FAILED.*)", _REFUSED_TOO), Rule(_REASON, _DETAIL)),
        "AUTH-PAM:": (
            Rule(r"BACKGROUND: user '(?P<user_name>.*)' failed to authenticate: (?P<reason>[^']*)", _REFUSED_TOO),
            Rule(_REASON, _DETAIL),
        ),
        "PLUGIN": _SERVER_LINES,
        "PLUGIN_CALL:": (
            Rule(r"POST (?P<plugin>\S+/PLUGIN_AUTH_USER_PASS_VERIFY) status=(?P<status>0)", _DETAIL),
            Rule(r"POST (?P<plugin>\S+/PLUGIN_AUTH_USER_PASS_VERIFY) status=(?P<status>[0-9]{1,3})", _REFUSED_TOO),
            Rule(_REASON, _SERVER),
        ),
        "Connection": (Rule(r"(?P<reason>reset, restarting \[.*)", _CLOSED), Rule(_REASON, _BROKEN)),
        "TCP": (
            Rule(
                rf"connection established with {_FAMILY}(?P<source_ip>[0-9A-Fa-f.]{{7,45}})"
                r":(?P<source_port>[0-9]{1,5})",
                _OPENED,
            ),
            Rule(_REASON, _TUNNEL),
        ),
        "Authenticate/Decrypt": (Rule(_REASON, _BROKEN),),
        "Fatal": (Rule(_REASON, _BROKEN),),
        "Bad": (Rule(_REASON, _BROKEN),),
        "WARNING:": (Rule(r"(?P<reason>Bad encapsulated packet length from peer.*)", _BROKEN), Rule(_REASON, _TUNNEL)),
        "Delayed": (Rule(_REASON, _TUNNEL),),
        "Expected": (Rule(_REASON, _TUNNEL),),
        "LZO": _TUNNEL_LINES,
        "Re-using": _TUNNEL_LINES,
        "Inactivity": (Rule(rf"timeout {_REASON}", _CLOSED),),
        "SIGTERM[soft,remote-exit]": _SIGNAL,
        "SIGTERM[soft,delayed-exit]": _SIGNAL,
        "SIGTERM[soft,auth-control-exit]": _SIGNAL,
        "SIGTERM[hard,]": _SIGNAL,
        "SIGUSR1[soft,ping-restart]": _SIGNAL,
        "SIGUSR1[soft,tls-error]": _SIGNAL,
        "SIGUSR1[soft,connection-reset]": _SIGNAL,
        "SIGUSR1[soft,connection-reset,1]": _SIGNAL,
        "OpenVPN": _SERVER_LINES,
        "Initialization": (Rule(r"Sequence Completed.*", {**_SERVER, "event_type": ["start"]}),),
        "Options": (Rule(_REASON, _TROUBLE),),
        "Exiting": (Rule(_REASON, {**_SERVER, "event_type": ["end"]}),),
        "library": _SERVER_LINES,
        "Listening": _SERVER_LINES,
        "UDPv4": _SERVER_LINES,
        "UDPv6": _SERVER_LINES,
        "TCPv4_SERVER": _SERVER_LINES,
        "Diffie-Hellman": _SERVER_LINES,
        "TUN/TAP": _SERVER_LINES,
        **dict.fromkeys(_NETWORK_SET_UP, _SERVER_LINES),
        "IFCONFIG": _SERVER_LINES,
        "Socket": _SERVER_LINES,
        "MANAGEMENT:": _SERVER_LINES,
        "event_wait": _SERVER_LINES,
        "write": (Rule(_REASON, _BROKEN),),
        "read": (Rule(_REASON, _BROKEN),),
    },
)
"""The common name of `[alice] Peer Connection Initiated with ...` stands first: see `streams.openvpn.parser`."""
