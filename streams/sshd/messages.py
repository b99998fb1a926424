"""The messages of OpenSSH's server other than its verdicts, as rules: what each looks like and what it means.

Sources: OpenSSH 6 to 10, auth.c, auth2.c, auth-pam.c, monitor.c, packet.c, kex.c, session.c, srclimit.c, sshd.c and
sshd-session.c; the texts of fatal packet errors are in `sshpkt_vfatal`. https://man.openbsd.org/sshd.8

Whoever connects chooses the user name, up to 100 characters of it. What stands right of it is anchored at the end.
"""

from streams.rules import Rule, Rules
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "sshd"}
_AUTHENTICATION = ["authentication"]
_SESSION = ["authentication", "session"]


def _columns(action: str, outcome: str = "", categories: list[str] = _AUTHENTICATION, kind: str = "info") -> Event:
    columns: Event = {**SERVICE, "event_category": categories, "event_type": [kind], "event_action": action}
    return {**columns, "event_outcome": outcome} if outcome else columns


_REFUSED = _columns("ssh_login", "failure")
_ROOT: Event = {**_REFUSED, "user_name": "root"}
_TURNED_AWAY = _columns("disconnected", "failure", _AUTHENTICATION, "end")
_GAVE_UP = _columns("connection_closed", "failure", _AUTHENTICATION, "end")
_DROPPED = _columns("connection_dropped", "failure")
_BROKEN = _columns("connection_failed", "failure")
_CONNECTED = _columns("connection_opened", "", _AUTHENTICATION, "start")
_CLOSED = _columns("connection_closed", "", _AUTHENTICATION, "end")
_LEFT = _columns("session_closed", "", _SESSION, "end")
_OPENED = _columns("session_opened", "success", _SESSION, "start")
_SERVER: Event = {**SERVICE, "event_category": ["process"], "event_type": ["info"]}
_STARTED: Event = {**_SERVER, "event_type": ["start"], "event_action": "server_listening"}
_STOPPED: Event = {**_SERVER, "event_type": ["end"], "event_action": "server_stopped"}
_CONFIGURED: Event = {**_SERVER, "event_action": "server_message"}
_UNABLE: Event = {**_CONFIGURED, "event_outcome": "failure"}
_DETAIL = _columns("ssh_message")

_PEER = r"(?P<source_ip>\S+) port (?P<source_port>[0-9]{1,5})"
_USER = r"(?:(?P<user_status>invalid|authenticating) )?user (?P<user_name>.*)"
_IN_USER = rf"(?P<user_status>invalid|authenticating) user (?P<user_name>.*) {_PEER}"
_ON_BEHALF = rf"(?:{_USER} )?{_PEER}"
_OLD_PEER = r"(?P<source_ip>\S+)"
_DESTINATION = r"(?P<destination_ip>\S+) port (?P<destination_port>[0-9]{1,5})"
_REASON = r"(?P<reason>.*)"
_BREAK_IN = r"\.?(?: - POSSIBLE BREAK-IN ATTEMPT!)?"
_CHANGE = r"Change of username or service not allowed: "

_INVALID = (
    Rule(rf"user (?P<user_name>.*) from {_PEER}", _REFUSED),
    Rule(rf"user (?P<user_name>.*) from {_OLD_PEER}", _REFUSED),
)

_CONNECTION = (
    Rule(rf"(?:closed|reset) by {_IN_USER}", _GAVE_UP),
    Rule(rf"(?:closed|reset) by user (?P<user_name>.*) {_PEER}", _LEFT),
    Rule(rf"(?:closed|reset) by {_PEER}", _CLOSED),
    Rule(rf"(?:closed|reset) by {_OLD_PEER}", _CLOSED),
    Rule(rf"from {_PEER} on {_DESTINATION}(?: rdomain (?P<routing_domain>.*))?", _CONNECTED),
    Rule(rf"(?:from|to) {_ON_BEHALF} timed out", _BROKEN),
    Rule(rf"from {_PEER}", _CONNECTED),
    Rule(rf"(?:from|to) {_ON_BEHALF}: {_REASON}", _BROKEN),
)

_USER_REFUSED = (
    Rule(
        r"(?P<user_name>.*) from (?P<source_ip>\S+) not allowed because "
        r"(?P<reason>listed in DenyUsers|not listed in AllowUsers|not in any group|a group is listed in DenyGroups"
        r"|none of user's groups are listed in AllowGroups)",
        _REFUSED,
    ),
    Rule(
        r"(?P<user_name>.*) not allowed because "
        r"(?P<reason>account is locked|shell \S* (?:does not exist|is not executable)|[a-z' ]{1,80})",
        _REFUSED,
    ),
    Rule(r"(?P<user_name>.*) password has expired \((?P<reason>[a-z ]*)\)", _REFUSED),
    Rule(r"child is on pid (?P<child>[0-9]{1,10})", _DETAIL),
)

_DISCONNECTED = (
    Rule(rf"from {_IN_USER}", _TURNED_AWAY),
    Rule(rf"from user (?P<user_name>.*) {_PEER}", {**_LEFT, "event_outcome": "success"}),
    Rule(rf"from {_PEER}", _CLOSED),
    Rule(rf"from {_OLD_PEER}", _CLOSED),
)

_DISCONNECTING = (
    Rule(rf"{_USER} {_PEER}: (?P<reason>{_CHANGE}\((?P=user_name),.*\) -> \(.*\))", _REFUSED),
    Rule(rf"{_USER} {_PEER}: (?P<reason>[^:]*)", _REFUSED),
    Rule(rf"{_PEER}: {_REASON}", _TURNED_AWAY),
)
_DISCONNECTING_OLD = (
    Rule(r"(?P<reason>Too many authentication failures) for (?P<user_name>.*)", _REFUSED),
    Rule(_REASON, _TURNED_AWAY),
)

_RECEIVED = (
    Rule(rf"disconnect from {_PEER}:(?P<disconnect_code>[0-9]{{1,10}}): ?{_REASON}", _CLOSED),
    Rule(rf"disconnect from {_OLD_PEER}: ?(?P<disconnect_code>[0-9]{{1,10}}): ?{_REASON}", _CLOSED),
    Rule(r"signal (?P<signal>[0-9]{1,4}); terminating\.", _STOPPED),
    Rule(r"SIGHUP; restarting\.", {**_SERVER, "event_action": "server_restarted"}),
)

_REVERSE = (
    Rule(rf"mapping checking getaddrinfo for (?P<reverse_name>\S*) \[(?P<source_ip>\S+)\] failed{_BREAK_IN}", _DETAIL),
    Rule(rf"mapping checking getaddrinfo for (?P<reverse_name>\S*) failed{_BREAK_IN}", _DETAIL),
)
_ADDRESS = (
    Rule(
        rf"(?P<source_ip>\S+) maps to (?P<reverse_name>\S*), "
        rf"but this does not map back to the address{_BREAK_IN}",
        _DETAIL,
    ),
)

_TIMEOUT = (
    Rule(rf"before authentication for {_PEER}\.?", _BROKEN),
    Rule(
        r"before authentication for connection from (?P<source_ip>\S+) to (?P<destination_ip>[^\s,]+), "
        r"pid = (?P<child>[0-9]{1,10})",
        _BROKEN,
    ),
    Rule(rf"before authentication for {_OLD_PEER}", _BROKEN),
)

_DROP = (
    Rule(
        r"connection #(?P<connection>[0-9]{1,10}) from \[(?P<source_ip>[^\]\s]+)\]:(?P<source_port>[0-9]{1,5})"
        r" on \[(?P<destination_ip>[^\]\s]+)\]:(?P<destination_port>[0-9]{1,5}),? (?P<reason>.*)",
        _DROPPED,
    ),
)
_PENALTY = (
    Rule(
        r"(?:ipv[46]: )?(?:(?P<penalty_change>new|updated) )?(?P<penalty_network>[0-9A-Fa-f.:]{2,45}/[0-9]{1,3}) "
        r"(?P<penalty_kind>active|deferred) penalty of (?P<penalty_seconds>[0-9]{1,10}) seconds? for (?:penalty: )?"
        r"(?P<reason>.*)",
        _DROPPED,
    ),
    Rule(_REASON, _DETAIL),
)

_KEX = (
    Rule(r"(?:Connection closed by|read: Connection reset by) remote host", _BROKEN),
    Rule(r"client sent invalid protocol identifier \"(?P<banner>.*)\"", _BROKEN),
    Rule(_REASON, _BROKEN),
)
_NEGOTIATE = (
    Rule(
        rf"to negotiate with {_ON_BEHALF}: (?P<reason>no matching [a-z ]* found)\. Their offer: ?(?P<offer>.*)", _BROKEN
    ),
    Rule(
        rf"to negotiate with {_OLD_PEER}: (?P<reason>no matching [a-z ]* found)\. Their offer: ?(?P<offer>.*)", _BROKEN
    ),
    Rule(rf"to negotiate a key exchange method{_REASON}", _BROKEN),
)

_STARTING = (
    Rule(
        rf"session: (?P<session>.*?)(?: on (?P<tty>[^ ]+))? for (?P<user_name>[^ ]+) from {_PEER}"
        r"(?: id (?P<session_id>[0-9]{1,10}))?",
        _OPENED,
    ),
)
_TRIED = (
    Rule(
        r"tried for (?P<user_name>.*) with correct key but not from a permitted host "
        r"\(host=(?P<reverse_name>[^ ,]*), ip=(?P<source_ip>[^ ,]+)(?:, required=(?P<required>.*))?\)\.",
        _REFUSED,
    ),
    Rule(
        r"tried for (?P<user_name>.*) with valid certificate but not from a permitted (?:source address|host)"
        r" \((?:ip=)?(?P<source_ip>[^ ]+)\)\.",
        _REFUSED,
    ),
    Rule(rf"refused: {_REASON}", _REFUSED),
    Rule(rf"key (?P<key>\S+ \S+) revoked by file {_REASON}", _REFUSED),
)

_TABLE: dict[str, tuple[Rule, ...]] = {
    "Accepted": (
        Rule(rf"key (?P<key>\S+ \S+) found at {_REASON}", _DETAIL),
        Rule(r"certificate ID (?P<certificate>\".*\" .*)", _DETAIL),
    ),
    "Invalid": _INVALID,
    "Illegal": _INVALID,
    "Connection": _CONNECTION,
    "Disconnected": _DISCONNECTED,
    "Disconnecting": _DISCONNECTING,
    "Disconnecting:": _DISCONNECTING_OLD,
    "Received": _RECEIVED,
    "User": _USER_REFUSED,
    "reverse": _REVERSE,
    "Address": _ADDRESS,
    "Timeout": _TIMEOUT,
    "Timeout,": (
        Rule(rf"client not responding from (?:user (?P<user_name>.*) )?{_PEER}", _BROKEN),
        Rule(_REASON, _BROKEN),
    ),
    "drop": _DROP,
    "srclimit_penalise:": _PENALTY,
    "ipv4:": _PENALTY,
    "ipv6:": _PENALTY,
    "kex_exchange_identification:": _KEX,
    "kex_protocol_error:": _KEX,
    "ssh_dispatch_run_fatal:": (
        Rule(rf"Connection (?:from|to) {_ON_BEHALF}: {_REASON}", _BROKEN),
        Rule(_REASON, _BROKEN),
    ),
    "banner": (
        Rule(rf"exchange: Connection from {_ON_BEHALF}: {_REASON}", _BROKEN),
        Rule(rf"line contains invalid characters{_REASON}", _BROKEN),
    ),
    "Unable": _NEGOTIATE,
    "Did": (
        Rule(rf"not receive identification string from {_PEER}", _BROKEN),
        Rule(rf"not receive identification string from {_OLD_PEER}\.?", _BROKEN),
    ),
    "Bad": (
        Rule(rf"protocol version identification '(?P<banner>.*)' from {_PEER}", _BROKEN),
        Rule(rf"protocol version identification '(?P<banner>.*)' from {_OLD_PEER}", _BROKEN),
        Rule(rf"(?:packet length|remote protocol version identification).{_REASON}", _BROKEN),
    ),
    "Protocol": (
        Rule(rf"major versions differ for {_ON_BEHALF}: {_REASON}", _BROKEN),
        Rule(rf"major versions differ.*?(?: for {_OLD_PEER})?: {_REASON}", _BROKEN),
    ),
    "maximum": (
        Rule(
            rf"authentication attempts exceeded for (?:(?P<user_status>invalid) user )?(?P<user_name>.*) from {_PEER}"
            r"(?: ssh2)?",
            _REFUSED,
        ),
    ),
    "Too": (Rule(r"many authentication failures for (?P<user_name>.*)", _REFUSED),),
    "ROOT": (Rule(rf"LOGIN REFUSED FROM {_PEER}", _ROOT), Rule(rf"LOGIN REFUSED FROM {_OLD_PEER}", _ROOT)),
    "Root": (Rule(r"login accepted for forced command\.", {**_DETAIL, "user_name": "root"}),),
    "input_userauth_request:": (
        Rule(r"(?P<user_status>invalid|illegal) user (?P<user_name>.*)", _REFUSED),
        Rule(_REASON, _BROKEN),
    ),
    "PAM:": (
        Rule(
            r"(?P<reason>[A-Za-z ,']{1,120}?) for (?:(?P<user_status>illegal) user )?"
            r"(?P<user_name>.*) from (?P<source_ip>\S+)",
            _REFUSED,
        ),
        Rule(_REASON, _DETAIL),
    ),
    "Access": (Rule(r"denied for user (?P<user_name>.*) by PAM account configuration", _REFUSED),),
    "Account": (Rule(r"(?P<user_name>.*) has expired", _REFUSED),),
    "Login": (Rule(r"name (?P<user_name>.*) does not match stored username (?P<stored_name>.*)", _REFUSED),),
    "Authentication": _TRIED,
    "Certificate": (Rule(rf"invalid: {_REASON}", _REFUSED),),
    "Starting": _STARTING,
    "Close": (Rule(rf"session: user (?P<user_name>.*) from {_PEER} id (?P<session_id>[0-9]{{1,10}})", _LEFT),),
    "Closing": (Rule(rf"connection to {_PEER}", _CLOSED),),
    "subsystem": (
        Rule(
            r"request for (?P<subsystem>\S+)(?: by user (?P<user_name>\S*))?"
            r"(?: (?P<reason>failed, subsystem not found))?",
            _DETAIL,
        ),
    ),
    "refused": (
        Rule(r"connect from (?P<reverse_name>\S+) \((?P<source_ip>\S+)\)", _DROPPED),
        Rule(rf"connect from {_OLD_PEER}", _DROPPED),
    ),
    "Server": (Rule(r"listening on (?P<server_ip>\S+) port (?P<server_port>[0-9]{1,5})\.?(?: rdomain .*)?", _STARTED),),
    "Exiting": (Rule(r"on signal (?P<signal>[0-9]{1,4})", _STOPPED),),
    "beginning": (Rule(r"MaxStartups throttling", {**_SERVER, "event_action": "throttling_started"}),),
    "exited": (
        Rule(
            r"MaxStartups throttling after (?P<throttled_for>[0-9:]{1,16}), "
            r"(?P<dropped>[0-9]{1,10}) connections? dropped",
            {**_SERVER, "event_action": "throttling_ended"},
        ),
    ),
    "Nasty": (Rule(r"PTR record \"(?P<reverse_name>.*)\" is set up for (?P<source_ip>\S+), ignoring", _DETAIL),),
    "userauth_hostbased": (Rule(rf"mismatch: {_REASON}", _REFUSED),),
    "Found": (Rule(r"matching (?P<key>\S+ key: \S+)", _DETAIL),),
    "Transferred:": (
        Rule(r"sent (?P<bytes_sent>[0-9]{1,18}), received (?P<bytes_received>[0-9]{1,18}) bytes", _DETAIL),
    ),
    "Authorized": (Rule(r"to (?P<user_name>.*), (?P<authorized_by>[a-z0-9 ]+ principal .*)", _DETAIL),),
    "Corrupted": (Rule(rf"(?:MAC|padlen) {_REASON}", _BROKEN),),
    "padding": (Rule(rf"error: {_REASON}", _BROKEN),),
    "Read": (
        Rule(rf"error from remote host {_ON_BEHALF}: {_REASON}", _BROKEN),
        Rule(rf"error from remote host {_OLD_PEER}: {_REASON}", _BROKEN),
    ),
    "Write": (Rule(rf"failed: {_REASON}", _BROKEN),),
    "Bind": (Rule(r"to port (?P<server_port>[0-9]{1,5}) on (?P<server_ip>\S+) failed: (?P<reason>.*)", _UNABLE),),
    "Could": (Rule(r"not (?:load host key|get shadow information|open|stat|chdir|write|create).*", _CONFIGURED),),
    "no": (Rule(r"hostkeys available.*", _UNABLE),),
    "Cannot": (Rule(r"bind any address\.", _UNABLE),),
    "Setting": (Rule(r"tty modes failed: .*", _CONFIGURED),),
}

MESSAGES = Rules("sshd", _TABLE)
