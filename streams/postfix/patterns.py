"""Defines the columns that messages of postfix mean, and the patterns of a peer.

A peer is `NAME[ADDRESS]` or `NAME[ADDRESS]:PORT`; postscreen writes `[ADDRESS]:PORT`. Names come from the peer's own
reverse DNS and hold neither blanks nor brackets.
"""

from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "postfix"}


def columns(category: str, types: str, action: str, outcome: str = "") -> Event:
    """The constant columns of a message; with an outcome of "" the event has none."""
    meaning: Event = {**SERVICE, "event_category": [category], "event_type": types.split(), "event_action": action}
    return {**meaning, "event_outcome": outcome} if outcome else meaning


CONNECTED = columns("network", "connection start", "smtp_connect")
DISCONNECTED = columns("network", "connection end", "smtp_disconnect")
LOST = columns("network", "connection end", "smtp_connection_lost", "failure")
UNREACHED = columns("network", "connection info", "smtp_connect", "failure")
SECURED = columns("network", "connection info", "smtp_tls", "success")
INSECURE = columns("network", "connection info", "smtp_tls", "failure")
NOTED = columns("network", "connection info", "smtp_message")
LIMITED = columns("network", "connection denied", "smtp_limit_exceeded", "failure")
LISTED = columns("network", "connection info", "blocklist_answer")
SCREENED = columns("network", "connection denied", "postscreen_test", "failure")
PASSED = columns("network", "connection allowed", "postscreen_pass", "success")
COUNTED = columns("network", "info", "smtp_statistics")
MAIL = columns("email", "info", "mail_message")
TAKEN = columns("email", "info", "mail_taken", "success")
QUEUED = columns("email", "info", "mail_queued")
REMOVED = columns("email", "info", "mail_removed")
REFUSED = columns("email", "info", "mail_refused", "failure")
HELD = columns("email", "info", "mail_checked")
DELIVERED = columns("email", "info", "mail_delivery", "success")
UNDELIVERED = columns("email", "info", "mail_delivery", "failure")
LOGIN = columns("authentication", "start", "smtp_login")
LOGIN_TROUBLE = columns("authentication", "info", "smtp_login", "failure")
"""What the SASL library says before postfix itself gives the verdict and names the peer."""
SERVER = columns("process", "info", "server_message")
STARTED = columns("process", "start", "server_started")
STOPPED = columns("process", "end", "server_stopped")
TROUBLE = columns("process", "info", "server_message", "failure")

PEER = r"(?P<reverse_name>[^\s\[\]]{0,255})\[(?P<source_ip>[^\]\s]{1,64})\](?::(?P<source_port>[0-9]{1,5}))?"
NEXT_HOP = r"(?P<next_hop>[^\s\[\]]{0,255})\[(?P<destination_ip>[^\]\s]{1,255})\](?::(?P<destination_port>[0-9]{1,5}))?"
REASON = r"(?P<reason>.*)"
