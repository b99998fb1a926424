"""Lists the messages of OpenSSH's server about connections: made, refused, broken, ended.

Sources: OpenSSH 6 to 10, packet.c (`sshpkt_vfatal` has the texts of broken connections), kex.c, canohost.c, srclimit.c,
serverloop.c, sshd.c, sshd-session.c.
"""

from streams.mapping.rules import Rule
from streams.sshd.patterns import (
    BREAK_IN,
    BROKEN,
    CHANGE,
    CLOSED,
    CONNECTED,
    DESTINATION,
    DETAIL,
    DROPPED,
    EITHER,
    GAVE_UP,
    IN_USER,
    LEFT,
    OLD_PEER,
    ON_BEHALF,
    PEER,
    REASON,
    REFUSED,
    SERVER,
    STOPPED,
    TURNED_AWAY,
    UNABLE,
    USER,
    columns,
)

_CONNECTION = (
    Rule(r"(?P<reason>timed out|refused|reset by peer)", BROKEN),
    Rule(rf"(?:closed|reset) by {IN_USER}", GAVE_UP),
    Rule(rf"(?:closed|reset) by user (?P<user_name>.*) {PEER}", LEFT),
    Rule(rf"(?:closed|reset) by {PEER}", CLOSED),
    Rule(rf"(?:closed|reset) by {OLD_PEER}", CLOSED),
    Rule(rf"from UDP {PEER}", CONNECTED),
    Rule(rf"from {PEER} on {DESTINATION}(?: rdomain (?P<routing_domain>.*))?", CONNECTED),
    Rule(rf"from {PEER} on (?P<destination_ip>[^\s:]+|[0-9A-Fa-f:]+)", CONNECTED),
    Rule(rf"(?:from|to) {ON_BEHALF} timed out", BROKEN),
    Rule(rf"from {PEER}", CONNECTED),
    Rule(rf"(?:from|to) {ON_BEHALF}: {REASON}", BROKEN),
)

_DISCONNECTED = (
    Rule(rf"from {IN_USER}", TURNED_AWAY),
    Rule(rf"from user (?P<user_name>.*) {PEER}", {**LEFT, "event_outcome": "success"}),
    Rule(rf"from {PEER}", CLOSED),
    Rule(rf"from {OLD_PEER}", CLOSED),
)

_DISCONNECTING = (
    Rule(rf"{USER} {PEER}: (?P<reason>{CHANGE}\((?P=user_name),.{{0,1024}}\) -> \(.{{0,1024}}\))", REFUSED),
    Rule(rf"{USER} {PEER}: (?P<reason>[^:]*)", REFUSED),
    Rule(rf"{PEER}: {REASON}", TURNED_AWAY),
)

_DISCONNECTING_OLD = (
    Rule(rf"(?P<reason>Too many authentication failures) for {EITHER}", REFUSED),
    Rule(r"(?P<reason>Too many authentication failures) for (?P<user_name>.*)", REFUSED),
    Rule(REASON, TURNED_AWAY),
)

_RECEIVED = (
    Rule(rf"disconnect from {PEER}:(?P<disconnect_code>[0-9]{{1,10}}): ?{REASON}", CLOSED),
    Rule(rf"disconnect from {OLD_PEER}: ?(?P<disconnect_code>[0-9]{{1,10}}): ?{REASON}", CLOSED),
    Rule(r"signal (?P<signal>[0-9]{1,4}); terminating\.", STOPPED),
    Rule(rf"request from {PEER} to {REASON}", columns("port_forwarding", "failure")),
    Rule(rf"request to {REASON}", columns("port_forwarding", "failure")),
    Rule(r"SIGHUP; restarting\.", {**SERVER, "event_action": "server_restarted"}),
)

_REVERSE = (
    Rule(rf"mapping checking getaddrinfo for (?P<reverse_name>\S*) \[(?P<source_ip>\S+)\] failed{BREAK_IN}", DETAIL),
    Rule(rf"mapping checking getaddrinfo for (?P<reverse_name>\S*) failed{BREAK_IN}", DETAIL),
)

_ADDRESS = (
    Rule(
        rf"(?P<source_ip>\S+) maps to (?P<reverse_name>\S*), "
        rf"but this does not map back to the address{BREAK_IN}",
        DETAIL,
    ),
)

_TIMEOUT = (
    Rule(rf"before authentication for {PEER}\.?", BROKEN),
    Rule(
        r"before authentication for connection from (?P<source_ip>\S+) to (?P<destination_ip>[^\s,]+), "
        r"pid = (?P<child>[0-9]{1,10})",
        BROKEN,
    ),
    Rule(rf"before authentication for {OLD_PEER}", BROKEN),
)

_SCANNED = (
    Rule(r"from (?P<source_ip>\S+)(?: port (?P<source_port>[0-9]{1,5}))? with (?P<banner>.*)\.  Don't panic\.", BROKEN),
)

_DROP = (
    Rule(
        r"connection #(?P<connection>[0-9]{1,10}) from \[(?P<source_ip>[^\]\s]+)\]:(?P<source_port>[0-9]{1,5})"
        r" on \[(?P<destination_ip>[^\]\s]+)\]:(?P<destination_port>[0-9]{1,5}),? (?P<reason>.*)",
        DROPPED,
    ),
)

_PENALTY_OF = (
    r"(?P<penalty_kind>active|deferred) penalty of (?P<penalty_seconds>[0-9]{1,10}) seconds? for (?:penalty: )?"
    r"(?P<reason>.*)"
)
_PENALTY_CHANGE = r"(?:ipv[46]: )?(?:(?P<penalty_change>new|updated) )?"
_PENALTY = (
    Rule(rf"{_PENALTY_CHANGE}(?P<source_ip>[0-9A-Fa-f.:]{{2,45}})/(?:32|128) {_PENALTY_OF}", DROPPED),
    Rule(rf"{_PENALTY_CHANGE}(?P<penalty_network>[0-9A-Fa-f.:]{{2,45}}/[0-9]{{1,3}}) {_PENALTY_OF}", DROPPED),
    Rule(REASON, DETAIL),
)

_KEX = (
    Rule(r"client sent invalid protocol identifier \"(?P<banner>.*)\"", BROKEN),
    Rule(REASON, BROKEN),
)

_PACKET = (
    Rule(rf"Connection (?:from|to) {ON_BEHALF}: {REASON}", BROKEN),
    Rule(REASON, BROKEN),
)

_ANY_BREAK = (Rule(REASON, BROKEN),)

_FORWARDING = (Rule(REASON, columns("port_forwarding", "failure")),)

_NEGOTIATE = (
    Rule(
        rf"to negotiate with {ON_BEHALF}: (?P<reason>no matching [A-Za-z ]* found)\. Their offer: ?(?P<offer>.*)",
        BROKEN,
    ),
    Rule(
        rf"to negotiate with {OLD_PEER}: (?P<reason>no matching [A-Za-z ]* found)\. Their offer: ?(?P<offer>.*)", BROKEN
    ),
    Rule(rf"to negotiate a key exchange method{REASON}", BROKEN),
)

CONNECTIONS: dict[str, tuple[Rule, ...]] = {
    "Connection": _CONNECTION,
    "Disconnected": _DISCONNECTED,
    "Disconnecting": _DISCONNECTING,
    "Disconnecting:": _DISCONNECTING_OLD,
    "Received": _RECEIVED,
    "reverse": _REVERSE,
    "Address": _ADDRESS,
    "Timeout": _TIMEOUT,
    "Timeout,": (
        Rule(rf"client not responding from (?:user (?P<user_name>.*) )?{PEER}", BROKEN),
        Rule(REASON, BROKEN),
    ),
    "drop": _DROP,
    "srclimit_penalise:": _PENALTY,
    "ipv4:": _PENALTY,
    "ipv6:": _PENALTY,
    "kex_exchange_identification:": _KEX,
    "kex_protocol_error:": _KEX,
    "ssh_dispatch_run_fatal:": _PACKET,
    "ssh_packet_write_poll:": _PACKET,
    "packet_write_poll:": _PACKET,
    "packet_write_wait:": _PACKET,
    "Fssh_packet_write_poll:": _PACKET,
    "Fssh_packet_write_wait:": _PACKET,
    "Fssh_kex_exchange_identification:": _KEX,
    "mm_request_receive:": _ANY_BREAK,
    "mm_request_send:": _ANY_BREAK,
    "scanned": _SCANNED,
    "probed": _SCANNED,
    "dispatch_protocol_error:": _ANY_BREAK,
    "dispatch_protocol_ignore:": _ANY_BREAK,
    "kex": (Rule(rf"protocol error: {REASON}", BROKEN),),
    "Client": (Rule(r"protocol version (?P<protocol>\S+); client software version (?P<banner>.*)", DETAIL),),
    "warning:": (
        Rule(
            r"/\S*, line [0-9]{1,6}: can't verify hostname: getaddrinfo\((?P<reverse_name>[^,]*), \S+\) failed", DETAIL
        ),
        Rule(rf"/\S*, line [0-9]{{1,6}}: {REASON}", DETAIL),
    ),
    "Hm,": (Rule(rf"kex protocol error: {REASON}", BROKEN),),
    "connect_to": _FORWARDING,
    "channel": _FORWARDING,
    "channel_setup_fwd_listener:": _FORWARDING,
    "channel_setup_fwd_listener_tcpip:": _FORWARDING,
    "banner": (
        Rule(rf"exchange: Connection from {ON_BEHALF}: {REASON}", BROKEN),
        Rule(rf"exchange: Connection from \S+ port -1: {REASON}", BROKEN),
        Rule(rf"line contains invalid characters{REASON}", BROKEN),
    ),
    "Unable": _NEGOTIATE,
    "Did": (
        Rule(rf"not receive identification string from {PEER}", BROKEN),
        Rule(rf"not receive identification string from {OLD_PEER}\.?", BROKEN),
    ),
    "Bad": (
        Rule(rf"protocol version identification '(?P<banner>.*)' from {PEER}", BROKEN),
        Rule(rf"protocol version identification '(?P<banner>.*)' from {OLD_PEER}", BROKEN),
        Rule(rf"(?:packet length|remote protocol version identification).{REASON}", BROKEN),
    ),
    "Protocol": (
        Rule(rf"major versions differ for {ON_BEHALF}: {REASON}", BROKEN),
        Rule(rf"major versions differ.*?(?: for {OLD_PEER})?: {REASON}", BROKEN),
    ),
    "Closing": (Rule(rf"connection to {PEER}", CLOSED), Rule(rf"connection to {OLD_PEER}", CLOSED)),
    "refused": (
        Rule(r"connect from (?P<reverse_name>\S+) \((?P<source_ip>\S+)\)", DROPPED),
        Rule(
            r"(?:local|streamlocal|remote) port forward: originator (?P<source_ip>\S+) port "
            r"(?P<source_port>[0-9]{1,5}), target (?P<reason>.*)",
            columns("port_forwarding", "failure"),
        ),
        Rule(rf"connect from {OLD_PEER}", DROPPED),
    ),
    "Nasty": (Rule(r"PTR record \"(?P<reverse_name>.*)\" is set up for (?P<source_ip>\S+), ignoring", DETAIL),),
    "Corrupted": (Rule(rf"(?:MAC|padlen|check bytes) {REASON}", BROKEN),),
    "padding": (Rule(rf"error: {REASON}", BROKEN),),
    "Read": (
        Rule(rf"error from remote host {ON_BEHALF}: {REASON}", BROKEN),
        Rule(rf"error from remote host {OLD_PEER}: {REASON}", BROKEN),
        Rule(rf"from socket failed: {REASON}", BROKEN),
    ),
    "Magic": (
        Rule(rf"value check failed \((?P<reason>-?[0-9]{{1,10}})\) on obfuscated handshake from {PEER}", BROKEN),
    ),
    "Write": (Rule(rf"failed: {REASON}", BROKEN),),
    "send_error:": _ANY_BREAK,
    "ssh_packet_read_poll2:": _ANY_BREAK,
    "userauth_finish:": _ANY_BREAK,
    "no": (
        Rule(r"hostkeys available.*", UNABLE),
        Rule(r"(?P<reason>matching [A-Za-z ]{1,40} found): (?P<offer>.*)", BROKEN),
    ),
}
