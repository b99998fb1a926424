"""Lists the messages of slapd that belong to no connection's log, as rules.

Sources: OpenLDAP servers/slapd/{main,daemon,connection,bind,sasl}.c, back-mdb/index.c.
"""

import re

from streams.common.ldap import SERVICE, user_of
from streams.common.text import put
from streams.mapping.rules import Rule, Rules
from topics.event import Event

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
_WARNED: Event = {**_REFUSED, "event_outcome": "success", "event_action": "password_expires"}
_UPSTREAM: Event = {**_SERVER, "event_outcome": "failure"}
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
        "ppolicy_bind:": (
            Rule(r"Entry (?P<dn>.*) has an expired password: (?P<reason>.*)", _REFUSED),
            Rule(r"Setting warning for password expiry for (?P<dn>.*) = (?P<seconds>[0-9]{1,18}) seconds", _WARNED),
        ),
        "check_password_quality:": (Rule(_REASON, _SERVER),),
        "slap_client_connect:": (Rule(_REASON, _UPSTREAM),),
        "do_syncrep2:": (Rule(_REASON, _SERVER),),
        "do_syncrepl:": (Rule(_REASON, _SERVER),),
        "syncprov_search_response:": (Rule(_REASON, _SERVER),),
        "bdb_db_open:": (Rule(_REASON, _SERVER),),
        "hdb_db_open:": (Rule(_REASON, _SERVER),),
        "mdb_db_open:": (Rule(_REASON, _SERVER),),
        "=>": (Rule(_REASON, _SERVER),),
        "connection_read": (Rule(rf"(?P<descriptor>[0-9]{{1,10}}) {_REASON}", _BROKEN),),
    },
)
_READ = re.compile(r"connection_read\(([0-9]{1,10})\): ")


def unconnected(message: str, event: Event) -> bool:
    """Columns of a message that belongs to no connection's log; False for other messages."""
    if found := _READ.match(message):
        message = f"connection_read {found[1]} {message[found.end() :]}"
    if not MESSAGES.parse(message, event):
        return False
    if dn := (event.get("extra") or {}).get("slapd.dn"):
        put(event, "user_name", user_of(dn))
    return True
