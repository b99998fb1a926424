"""Lists PostgreSQL's messages about logins, connections and itself, as rules; others are kept as they are.

Sources: PostgreSQL 9.6 to 17, src/backend/libpq/{auth,hba}.c, src/backend/tcop/{backend_startup,postgres}.c,
src/backend/utils/init/{miscinit,postinit}.c, src/backend/postmaster/postmaster.c.

The client chooses user, database and application. They stand in quotes, or before what the server adds.
"""

from streams.mapping.rules import Rule, Rules
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "postgresql"}


def _columns(categories: list[str], kind: list[str], action: str, outcome: str = "") -> Event:
    meaning: Event = {**SERVICE, "event_category": categories, "event_type": kind, "event_action": action}
    return {**meaning, "event_outcome": outcome} if outcome else meaning


_LOGIN = _columns(["authentication", "database"], ["start"], "database_login")
_ACCEPTED: Event = {**_LOGIN, "event_outcome": "success", "ogrewatch_attempt": 1}
_REFUSED: Event = {**_LOGIN, "event_outcome": "failure", "ogrewatch_attempt": 1}
_STEP = _columns(["authentication", "database"], ["info"], "database_login", "success")
_CONNECTED = _columns(["network", "database"], ["connection", "start", "info"], "database_connect")
_LEFT = _columns(["session", "database"], ["end"], "database_disconnect")
_TURNED_AWAY = _columns(["database"], ["error"], "database_connect", "failure")
INFO = _columns(["database"], ["info"], "database_message")
ERROR = _columns(["database"], ["error"], "database_error", "failure")
STATEMENT = _columns(["database"], ["access"], "database_statement")
_SERVER_STARTED = _columns(["database"], ["info"], "server_started")
_SERVER_STOPPED = _columns(["database"], ["info"], "server_stopped")

_USER = r'"(?P<user_name>.*)"'
_FAILED = (Rule(rf"authentication failed for user {_USER}", _REFUSED),)
_ENCRYPTION = r"(?:, (?P<encryption>SSL on|SSL off|SSL encryption|GSS encryption|no encryption))?"
_FROM_HOST = (
    r'host "(?P<source_ip>[^\s"]{1,255})", user "(?P<user_name>.*)", database "(?P<database>[^"]*)"' + _ENCRYPTION
)
_TO_REPLICATE = r'host "(?P<source_ip>[^\s"]{1,255})", user "(?P<user_name>.*)"' + _ENCRYPTION

MESSAGES = Rules(
    "postgresql",
    {
        **dict.fromkeys(("password", "Peer", "Ident", "LDAP", "GSSAPI", "SSPI", "PAM", "BSD", "RADIUS"), _FAILED),
        **dict.fromkeys(("certificate", "OAuth", "trust", "MD5", "SCRAM"), _FAILED),
        "authentication": (Rule(rf"failed for user {_USER}(?:: .*)?", _REFUSED),),
        "no": (
            Rule(rf"pg_hba\.conf entry for {_FROM_HOST}", _REFUSED),
            Rule(rf"pg_hba\.conf entry for replication connection from {_TO_REPLICATE}", _REFUSED),
            Rule(r"PostgreSQL user name specified in startup packet", _TURNED_AWAY),
        ),
        "pg_hba.conf": (
            Rule(rf"rejects connection for {_FROM_HOST}", _REFUSED),
            Rule(rf"rejects replication connection for {_TO_REPLICATE}", _REFUSED),
        ),
        "role": (
            Rule(rf"{_USER} does not exist", _REFUSED),
            Rule(rf"{_USER} is not permitted to log in", _REFUSED),
        ),
        "user": (Rule(rf"{_USER} does not exist", _REFUSED),),
        "permission": (
            Rule(r'denied for database "(?P<database>.*)"', {**ERROR, "event_action": "database_permission"}),
            Rule(r"denied (?P<reason>.*)", {**ERROR, "event_action": "database_permission"}),
        ),
        "too": (Rule(rf"many connections for (?:role|database) {_USER}", _TURNED_AWAY),),
        "sorry,": (Rule(r"too many clients already", _TURNED_AWAY),),
        "remaining": (Rule(r"connection slots are reserved .*", _TURNED_AWAY),),
        "unsupported": (Rule(r"frontend protocol (?P<protocol>.*)", _TURNED_AWAY),),
        "invalid": (Rule(r"length of startup packet", _TURNED_AWAY),),
        "incomplete": (Rule(r"startup packet", _TURNED_AWAY),),
        "connection": (
            Rule(
                r"received: host=(?P<source_ip>\S{1,255})(?: port=(?P<source_port>[0-9]{1,5}))?",
                _CONNECTED,
            ),
            Rule(
                r"authorized: user=(?P<user_name>.{1,256}?)(?: database=(?P<database>.{1,256}?))?"
                r"(?: application_name=(?P<application>.{1,256}?))?"
                r"(?: SSL enabled \((?P<tls>[^()]*)\))?(?: GSS \((?P<gss>[^()]*)\))?",
                _ACCEPTED,
            ),
            Rule(
                r"authenticated: (?:identity|user)=\"(?P<identity>.*)\" method=(?P<method>[a-z0-9-]{1,32})",
                _STEP,
            ),
            Rule(
                r"authenticated: (?:identity|user)=\"(?>(?P<identity>.*)\" method=(?P<method>[a-z0-9-]{1,32}) \((?=.))"
                r"(?P<hba>.*)\)",
                _STEP,
            ),
        ),
        "replication": (
            Rule(
                r"connection authorized: user=(?P<user_name>.{1,256}?)(?: application_name=(?P<application>.{1,256}?))?"
                r"(?: SSL enabled \((?P<tls>[^()]*)\))?",
                _ACCEPTED,
            ),
        ),
        "disconnection:": (
            Rule(
                r"session time: (?P<session_time>[0-9:.]{1,32}) user=(?P<user_name>.{0,256}?) "
                r"database=(?P<database>.{0,256}) host=(?P<source_ip>\S{1,255})(?: port=(?P<source_port>[0-9]{1,5}))?",
                _LEFT,
            ),
        ),
        "database": (
            Rule(r"system is ready to accept (?:read-only |read only )?connections", _SERVER_STARTED),
            Rule(r"system is shut down", _SERVER_STOPPED),
            Rule(r"\"(?P<database>.*)\" does not exist", _TURNED_AWAY),
        ),
        "starting": (Rule(r"PostgreSQL (?P<version>\S{1,32}).*", _SERVER_STARTED),),
    },
)
