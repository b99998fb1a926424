"""Lists the error log messages of MySQL and MariaDB about logins, connections and the server, as rules.

Sources: MySQL 5.5 to 8.4, share/messages_to_error_log.txt, sql/auth/sql_authentication.cc (login_failed_error),
sql/sql_connect.cc; MariaDB 10 and 11, sql/share/errmsg-utf8.txt, sql/sql_connect.cc.

The client chooses user and database. MySQL escapes no quote in them, so the host of a refusal is the last one before
the server's own words; only a user who is logged in can be refused a database.
"""

from streams.mapping.rules import Rule, Rules
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "mysql"}


def columns(categories: list[str], kind: str, action: str, outcome: str = "") -> Event:
    """The constant columns of a message; with an outcome of "" the event has none."""
    meaning: Event = {**SERVICE, "event_category": categories, "event_type": [kind], "event_action": action}
    return {**meaning, "event_outcome": outcome} if outcome else meaning


LOGIN = columns(["authentication", "database"], "start", "database_login")
REFUSED: Event = {**LOGIN, "event_outcome": "failure"}
_COUNTED: Event = {**REFUSED, "ogrewatch_attempt": 1}
_FORBIDDEN = columns(["database"], "error", "database_permission", "failure")
_ABORTED = columns(["database"], "info", "database_connection_aborted", "failure")
_TURNED_AWAY = columns(["database"], "error", "database_connect", "failure")
INFO = columns(["database"], "info", "database_message")
ERROR = columns(["database"], "error", "database_error", "failure")
_STARTED = columns(["database"], "info", "server_started")
_STOPPED = columns(["database"], "info", "server_stopped")
_HOST = r"'(?P<source_ip>[^'\s]{0,255})'"
_DENIED = r"denied for user '(?P<user_name>.*)'@"

MESSAGES = Rules(
    "mysql",
    {
        "Access": (
            Rule(rf"{_DENIED}{_HOST} \(using password: (?P<using_password>YES|NO)\)\.?", _COUNTED),
            Rule(rf"{_DENIED}{_HOST}(?:\. Account is locked\.)?", _COUNTED),
            Rule(
                rf"denied for user '(?P<user_name>.{{0,256}}?)'@{_HOST} to database '(?P<database>.*)'",
                _FORBIDDEN,
            ),
            Rule(r"denied; (?P<detail>.*)", _FORBIDDEN),
        ),
        "Aborted": (
            Rule(
                r"connection (?P<connection>[0-9]{1,20}) to db: '(?P<database>.{0,256}?)' "
                rf"user: '(?P<user_name>.{{0,256}})' host: {_HOST} \((?P<reason>.*)\)\.?",
                _ABORTED,
            ),
            Rule(r"connection (?P<connection>[0-9]{1,20}) \((?P<reason>.*)\)\.?", _ABORTED),
        ),
        "Host": (
            Rule(rf"{_HOST} is blocked because of many connection errors(?P<detail>.*)", _TURNED_AWAY),
            Rule(rf"{_HOST} is not allowed to connect to this (?P<detail>.*)", _TURNED_AWAY),
            Rule(r"name '(?P<host_name>[^']{1,255})' could not be resolved: (?P<reason>.*)", INFO),
            Rule(r"name '(?P<host_name>[^']{1,255})' (?P<reason>.*)", INFO),
        ),
        "IP": (Rule(rf"address {_HOST} (?P<reason>.*)", INFO),),
        "Too": (Rule(r"many connections", _TURNED_AWAY),),
        "Got": (Rule(r"(?:an error|timeout|packets) (?P<reason>.*)", _ABORTED),),
        "Bad": (Rule(r"handshake", _TURNED_AWAY),),
        "User": (Rule(r"'(?P<user_name>.*)' has exceeded the (?P<reason>.*)", _TURNED_AWAY),),
        "Normal": (Rule(r"shutdown", _STOPPED),),
    },
)
"""By the first word of a message, after its code and subsystem."""

SERVER = (
    (": ready for connections", _STARTED),
    (": Shutdown complete", _STOPPED),
    (": Normal shutdown", _STOPPED),
    ("mysqld_safe Starting ", _STARTED),
    (" ended", _STOPPED),
)
"""Messages that begin with the server's own path, by what they contain."""
