"""Defines the columns that messages of sshd mean, and the patterns that its rules are built of.

The client chooses the user name, up to 100 characters. Patterns anchor what stands right of it at the end.
"""

from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "sshd"}
AUTHENTICATION = ["authentication"]
SESSION = ["authentication", "session"]


def columns(action: str, outcome: str = "", categories: list[str] = AUTHENTICATION, kind: str = "info") -> Event:
    """The constant columns of a message. `kind` is its ECS type; with an outcome of "" the event has none."""
    meaning: Event = {**SERVICE, "event_category": categories, "event_type": [kind], "event_action": action}
    return {**meaning, "event_outcome": outcome} if outcome else meaning


REFUSED = columns("ssh_login", "failure")
ROOT: Event = {**REFUSED, "user_name": "root"}
GOT_IN: Event = {**columns("ssh_login", "success", SESSION, "start"), "ogrewatch_attempt": 1}
GOT_NOT_IN: Event = {**columns("ssh_login", "failure", AUTHENTICATION, "start"), "ogrewatch_attempt": 1}
"""The verdicts of SSH 1.2, which OpenSSH was derived from."""
TURNED_AWAY = columns("disconnected", "failure", AUTHENTICATION, "end")
GAVE_UP = columns("connection_closed", "failure", AUTHENTICATION, "end")
DROPPED = columns("connection_dropped", "failure")
BROKEN = columns("connection_failed", "failure")
CONNECTED = columns("connection_opened", "", AUTHENTICATION, "start")
CLOSED = columns("connection_closed", "", AUTHENTICATION, "end")
LEFT = columns("session_closed", "", SESSION, "end")
OPENED = columns("session_opened", "success", SESSION, "start")
SERVER: Event = {**SERVICE, "event_category": ["process"], "event_type": ["info"]}
STARTED: Event = {**SERVER, "event_type": ["start"], "event_action": "server_listening"}
STOPPED: Event = {**SERVER, "event_type": ["end"], "event_action": "server_stopped"}
CONFIGURED: Event = {**SERVER, "event_action": "server_message"}
UNABLE: Event = {**CONFIGURED, "event_outcome": "failure"}
DETAIL = columns("ssh_message")

PEER = r"(?P<source_ip>\S+) port (?P<source_port>[0-9]{1,5})"
USER = r"(?:(?P<user_status>invalid|authenticating) )?user (?P<user_name>.*)"
IN_USER = rf"(?P<user_status>invalid|authenticating) user (?P<user_name>.*) {PEER}"
"""A peer that is logging in."""
TRIED = rf"(?:(?P<user_status>invalid) user )?(?P<user_name>.*) from {PEER}(?: ssh[12])?"
"""A user name and a peer, as `auth_log` and later messages write them."""
EITHER = r".* from \S+ port [0-9]{1,5}(?: ssh[12])?"
"""A user name and perhaps a peer: not all versions name the peer, and a name may look like both."""
ON_BEHALF = rf"(?:{USER} )?{PEER}"
"""A peer, perhaps with the user it logs in as."""
OLD_PEER = r"(?P<source_ip>\S+)"
"""A peer without its port, as OpenSSH before 7 names it."""
DESTINATION = r"(?P<destination_ip>\S+) port (?P<destination_port>[0-9]{1,5})"
REASON = r"(?P<reason>.*)"
BREAK_IN = r"\.?(?: - POSSIBLE BREAK-IN ATTEMPT!)?"
CHANGE = r"Change of username or service not allowed: "
