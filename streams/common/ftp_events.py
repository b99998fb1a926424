"""Sets the columns of what FTP servers log: logins, connections and files.

It is shared by the streams of vsftpd, ProFTPD and Pure-FTPd.
"""

from streams.common import pam_lines
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "ftp"}
LOGIN: Event = {
    **SERVICE,
    "event_category": ["authentication", "session"],
    "event_type": ["start"],
    "event_action": "ftp_login",
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
FAILED: Event = {**LOGIN, "event_category": ["authentication"], "event_outcome": "failure"}
REFUSED: Event = {
    **SERVICE,
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "ftp_login",
    "event_outcome": "failure",
}
"""About a failed login, without being one: too many of them, none in time."""
OPENED: Event = {
    **SERVICE,
    "event_category": ["network"],
    "event_type": ["connection", "start"],
    "event_action": "ftp_connection_opened",
}
CLOSED: Event = {**OPENED, "event_type": ["connection", "end"], "event_action": "ftp_connection_closed"}
PROTOCOL: Event = {**OPENED, "event_type": ["protocol", "info"], "event_action": "ftp_protocol"}
SESSION: Event = {**SERVICE, "event_category": ["session"], "event_type": ["info"], "event_action": "ftp_message"}
LEFT: Event = {**SESSION, "event_type": ["end"], "event_action": "ftp_logout"}


def on_file(action: str, kind: str) -> Event:
    """The columns of something done to a file; `kind` is its ECS type."""
    return {**SERVICE, "event_category": ["file"], "event_type": [kind], "event_action": action}


def pam(message: str, event: Event) -> bool:
    """Set the columns of a PAM line under an FTP server; False for others."""
    if not pam_lines.parse(message, event, "ftp_login"):
        return False
    event.update(SERVICE)
    return True
