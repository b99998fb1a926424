"""The messages of slapd that belong to no connection's log, as rules.

Sources: OpenLDAP servers/slapd/{main,daemon,connection,bind,sasl}.c, back-mdb/index.c.
"""

from streams.rules import Rule, Rules
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "ldap"}
_SERVER: Event = {**SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}
_STARTED: Event = {**_SERVER, "event_type": ["start"], "event_action": "server_started"}
_STOPPED: Event = {**_SERVER, "event_type": ["end"], "event_action": "server_stopped"}
_REFUSED: Event = {
    **SERVICE,
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "ldap_bind",
    "event_outcome": "failure",
}
_BROKEN: Event = {
    **SERVICE,
    "event_category": ["network"],
    "event_type": ["connection", "info"],
    "event_action": "ldap_connection_failed",
    "event_outcome": "failure",
}
_REASON = r"(?P<reason>.*)"
_UNINDEXED = Rule(rf"[a-z]+_[a-z_]+: \((?P<attribute>[^()]+)\) {_REASON}", _SERVER)

MESSAGES = Rules(
    "slapd",
    {
        "slapd": (Rule(r"starting", _STARTED), Rule(r"stopped\.", _STOPPED), Rule(r"shutdown: .*", _STOPPED)),
        "daemon:": (Rule(r"shutdown requested and initiated\.", _STOPPED), Rule(_REASON, _SERVER)),
        "@(#)": (Rule(r"\$OpenLDAP: slapd (?P<version>\S+) .*", _STARTED),),
        "SASL": (Rule(rf"\[conn=(?P<connection>[0-9]{{1,18}})\] Failure: {_REASON}", _REFUSED),),
        "do_bind:": (Rule(r"invalid dn \((?P<dn>.*)\)", _REFUSED), Rule(_REASON, _SERVER)),
        "connection_input:": (Rule(rf"conn=(?P<connection>[0-9]{{1,18}}) {_REASON}", _SERVER),),
        "<=": (_UNINDEXED, Rule(rf"[a-z]+_[a-z_]+: {_REASON}", _SERVER)),
        "main:": (Rule(_REASON, _SERVER),),
        "TLS:": (Rule(_REASON, _BROKEN),),
    },
)
