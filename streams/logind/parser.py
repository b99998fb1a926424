"""Parses messages of systemd-logind: sessions that begin and end, seats, power keys and lids.

It reads systemd 183 to 258. `Removed session 3.` names no user, so `New session 3 of user alice.` leaves the user in
the `StateStore`, by host and session. None of its lines is an attempt: the program that checked the login logs it.
Sources: systemd src/login/logind-{session,seat,button,action,dbus,inhibit}.c.
https://www.freedesktop.org/software/systemd/man/latest/systemd-logind.service.html
"""

from streams.base import StateStore, Stream
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "logind"}
_OPENED: Event = {
    **_SERVICE,
    "event_category": ["session"],
    "event_type": ["start"],
    "event_action": "session_opened",
    "event_outcome": "success",
}
_LEFT: Event = {**_OPENED, "event_type": ["end"], "event_action": "session_left"}
_CLOSED: Event = {**_LEFT, "event_action": "session_closed"}
_IDLE: Event = {**_LEFT, "event_action": "session_idle"}


def _host(action: str, kind: str = "info") -> Event:
    return {**_SERVICE, "event_category": ["host"], "event_type": [kind], "event_action": action}


_FAILED: Event = {**_host("logind_message"), "event_outcome": "failure"}
_SESSION = r"['\"]?(?P<session>[A-Za-z0-9_-]{1,64})['\"]?"
_REASON = r"(?P<reason>.*)"
_KEY = (Rule(r"(?P<reason>(?:key|switch).*)", _host("power_key")),)
_LID = (Rule(r"(?P<reason>(?:opened|closed).*)", _host("lid")),)
_OPERATION = (Rule(r"'?(?P<operation>[a-z-]{1,40})'? (?P<reason>finished\.|.*)", _host("power_operation")),)

_MESSAGES = Rules(
    "logind",
    {
        "New": (
            Rule(
                r"session '(?P<session>[A-Za-z0-9_-]{1,64})' of user '(?P<user_name>.*)' "
                r"with class '(?P<class>[^']*)' and type '(?P<type>[^']*)'\.",
                _OPENED,
            ),
            Rule(rf"session {_SESSION} of user (?P<user_name>.*)\.", _OPENED),
            Rule(r"seat (?P<seat>\S+)\.", _host("seat_added")),
        ),
        "Session": (
            Rule(rf"{_SESSION} logged out\. {_REASON}", _LEFT),
            Rule(rf"{_SESSION} logged out\.", _LEFT),
            Rule(rf"{_SESSION} of user \"(?P<user_name>.*)\" is idle, stopping\.", _IDLE),
        ),
        "Removed": (
            Rule(rf"session {_SESSION}\.", _CLOSED),
            Rule(r"seat (?P<seat>\S+)\.", _host("seat_removed")),
        ),
        "Watching": (Rule(r"system buttons on (?P<device>\S+)(?: \((?P<reason>.*)\))?", _host("watching_buttons")),),
        "Power": (*_KEY,),
        "Suspend": (*_KEY,),
        "Hibernate": (*_KEY,),
        "Reboot": (*_KEY,),
        "Lid": (*_LID,),
        "System": (
            Rule(r"docked\.", _host("docked")),
            Rule(r"undocked\.", _host("undocked")),
            Rule(r"is (?P<reason>(?:powering down|rebooting|halting|powering).*)", _host("power_operation", "end")),
            Rule(_REASON, _host("power_operation")),
        ),
        "Powering": (Rule(_REASON, _host("power_operation", "end")),),
        "Rebooting.": (Rule("", _host("power_operation", "end")),),
        "Rebooting": (Rule(_REASON, _host("power_operation", "end")),),
        "Halting.": (Rule("", _host("power_operation", "end")),),
        "Suspending...": (Rule("", _host("power_operation")),),
        "Hibernating...": (Rule("", _host("power_operation")),),
        "The": (Rule(rf"system will {_REASON}", _host("power_operation")),),
        "Creating": (Rule(r"/run/nologin, blocking further logins\.\.\.", _host("logins_blocked")),),
        "Operation": _OPERATION,
        "Delay": (Rule(_REASON, _host("power_operation")),),
        "Received": (
            Rule(r"(?P<signal>SIG[A-Z0-9+]{2,16}) from PID (?P<from_pid>[0-9]{1,10}).*", _host("logind_message")),
        ),
        "Scheduled": (Rule(r"(?P<reason>shutdown .*)", _host("power_operation")),),
        "Linger": (Rule(_REASON, _host("logind_message")),),
        "User": (
            Rule(r"(?P<user_name>.*) logged in\.", _OPENED),
            Rule(r"(?P<user_name>.*) logged out\.", _CLOSED),
            Rule(r"enumeration failed: (?P<reason>.*)", _FAILED),
        ),
        "Existing": (Rule(_REASON, _FAILED),),
        "Failed": (Rule(_REASON, _FAILED),),
        "Couldn't": (Rule(_REASON, _FAILED),),
        "Cannot": (Rule(_REASON, _FAILED),),
        "Could": (Rule(_REASON, _FAILED),),
    },
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of logind; False when it is about neither a session nor the machine."""
    if not _MESSAGES.parse(message, event):
        return False
    session = (event.get("extra") or {}).get("logind.session")
    if session:
        _join(session, event, state)
    return True


def _join(session: str, event: Event, state: StateStore) -> None:
    key = f"logind|{event.get('host_hostname', '')}|{session}"
    user = event.get("user_name")
    if user:
        state.put(key, user)
    elif found := state.get(key):
        event["user_name"] = found
    if event["event_action"] == "session_closed":
        state.close(key)


STREAM = Stream(name="logind", programs=("systemd-logind", "elogind", "elogind-daemon"), parse=parse)
